"""`gradlab collapse`: what an inaccurate gradient does to a training."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gradlab.campaigns.collapse import KEPT
from gradlab.cli.outputs import output_faults, picture_faults
from gradlab.cli.status import Status

MODULI = ("31", "113")


@click.command(short_help="What an inaccurate gradient does to a training.")
@click.argument("targets", nargs=-1)
@click.option(
    "--p", "modulus", type=click.Choice(MODULI), default=MODULI[0], show_default=True, help="The number of classes."
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="N",
    help="Train from seeds 0 to N - 1.",
)
@click.option(
    "--steps", type=click.IntRange(min=1), metavar="N", help="Stop after N steps.  [default: 30,000, or 4,000]"
)
@click.option("--json", type=click.Path(path_type=Path), metavar="FILE", help="Write all curves to FILE, as JSON.")
@click.option(
    "--picture", type=click.Path(path_type=Path), metavar="FILE", help="Draw the curves to FILE, as SVG (extra: plot)."
)
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N",
    help="How many processes share the trainings.  [default: one per processor]",
)  # fmt: skip
@click.option(
    "--kept", type=click.Path(path_type=Path), default=KEPT, show_default=True, metavar="DIR",
    help="Where progress is kept.",
)  # fmt: skip
def collapse(
    targets: tuple[str, ...],
    modulus: str,
    seeds: int,
    steps: int | None,
    json: Path | None,
    picture: Path | None,
    processes: int | None,
    kept: Path,
) -> Status:
    """Train a small network on a + b mod p with the gradient of each TARGET, all else equal.

    Everything is float32, with Adam. Without TARGETs the gradients are those of `shifted`, which computes p - 1 as
    every framework does, and of `accurate`. It prints for each training the last values of its curves. W is the matrix
    of the last layer; for each seed it also prints how many times as large the norm of W's class mean is with the first
    gradient as with the last. docs/collapse.md says what that shows, and what it does not.

    If the run is interrupted, the same command goes on where it stopped.
    """
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # before NumPy is imported: the trainings share the processors
    from dataclasses import replace

    from gradlab.campaigns.collapse.document import document_of, table_lines
    from gradlab.campaigns.collapse.run import SETTINGS, TARGETS, Experiment, train_all
    from gradlab.campaigns.runner import Where
    from gradlab.isolation.limits import n_processors
    from gradlab.report.progress import show_progress
    from gradlab.report.terminal import print_lines
    from gradlab.storage.files import strict_json, write_whole, writing
    from gradlab.targets.importing import TargetError

    _refuse_unwritable(kept, [path for path in (json, picture) if path], picture)
    setting = SETTINGS[int(modulus)]
    setting = setting if steps is None else replace(setting, n_steps=steps)
    experiment = Experiment(setting, targets or TARGETS, range(seeds), kept)
    try:
        trainings = train_all(experiment, Where(None, processes or n_processors(), show_progress))
    except TargetError as error:
        raise click.UsageError(str(error)) from error
    document = document_of(setting, trainings)
    with writing():
        if json:
            write_whole(json, strict_json(document))
        if picture:
            from gradlab.campaigns.collapse.picture import as_svg

            write_whole(picture, as_svg(document))
    print_lines(table_lines(trainings))
    return Status.MET


def _refuse_unwritable(kept: Path, outputs: list[Path], picture: Path | None) -> None:
    """Raises UsageError where something cannot be written, or drawn."""
    from gradlab.storage.files import folder_fault

    of_kept = folder_fault(kept)
    faults = [*([of_kept] if of_kept else []), *output_faults(outputs), *picture_faults(picture)]
    if faults:
        raise click.UsageError("\n".join(faults))
