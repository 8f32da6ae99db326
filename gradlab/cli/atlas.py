"""`gradlab atlas`: how far off every framework that is installed is, and what it does at the edge of the domain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gradlab.cli.limits import isolation_options, limits_of
from gradlab.cli.outputs import output_faults, picture_faults
from gradlab.cli.status import Status
from gradlab.isolation.limits import n_processors

CERTIFICATES = Path("docs") / "exhaustive"
GENERATIONS = 16
DEFAULT = (
    "torch:cross_entropy",
    "jax:optax.softmax_cross_entropy_with_integer_labels",
    "jax:log_softmax",
    "tensorflow:sparse_softmax_cross_entropy_with_logits",
    "tensorflow:keras.SparseCategoricalCrossentropy",
    "mlx:cross_entropy",
    "sklearn:HalfMultinomialLoss",
    "scipy:log_softmax",
    "scipy:logsumexp",
    "autograd:logsumexp",
    "shifted",
    "accurate",
    "fused_accurate",
)


@click.command(short_help="The errors of every installed framework, family by family.")
@click.argument("targets", nargs=-1)
@click.option(
    "--family", "names", multiple=True, metavar="NAME", help="Measure errors on this family only. May be repeated."
)
@click.option("--climb", type=click.IntRange(min=0), default=GENERATIONS, show_default=True, metavar="GENERATIONS")
@click.option(
    "--markdown", type=click.Path(path_type=Path), metavar="FILE", help="Write the page to FILE, not to stdout."
)
@click.option("--json", type=click.Path(path_type=Path), metavar="FILE", help="Write all results to FILE, as JSON.")
@click.option(
    "--picture", type=click.Path(path_type=Path), metavar="FILE", help="Draw the errors to FILE, as SVG (extra: plot)."
)
@click.option(
    "--certificates", type=click.Path(path_type=Path), default=CERTIFICATES, show_default=True, metavar="DIR",
    help="The folder of the certificates whose figures are shown too.",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N",
    help="How many to measure at the same time.  [default: one per processor]",
)  # fmt: skip
@isolation_options
def atlas(targets: tuple[str, ...], names: tuple[str, ...], climb: int, certificates: Path, **given: Any) -> Status:
    """Measure each TARGET in each dtype that it claims: verdict, largest errors in ULP, rules followed.

    For each family of problems with finite logits (profile standard, seeds 0 to 7): the largest error of the loss, of
    the target's entry and of the other entries, with the input. Then rows are changed towards larger errors, for
    --climb generations. Also: the margin from which the target's entry is 0, and the rules that `gradlab conform`
    finds.

    Without TARGETs it measures the frameworks that have an adapter, and some of gradlab's own implementations. A
    framework that is not installed is left out. Files are written after each target, in the order given. Each target
    runs in processes of its own, as with `gradlab check`: what ends a process is a finding.
    """
    from gradlab.campaigns.atlas.atlas import measured_families
    from gradlab.campaigns.atlas.document import certificates_in
    from gradlab.campaigns.atlas.run import Draft, measure
    from gradlab.campaigns.exhaustive.certificate import CertificateError
    from gradlab.campaigns.runner import Where
    from gradlab.report.progress import show_progress

    limits, jobs = limits_of(given), given.pop("jobs") or n_processors()
    outputs: dict[str, Path | None] = given
    places = {name: Path.cwd() / path for name, path in outputs.items() if path}
    _refuse_bad_outputs(places)
    try:
        families, found = measured_families(names), certificates_in(certificates)
    except (ValueError, CertificateError) as error:
        raise click.UsageError(str(error)) from error
    command = _command(targets, names, climb, outputs)
    draft = Draft(command, families, climb, found, places, lambda line: click.echo(line, err=True))
    measure(targets or DEFAULT, draft, Where(limits, jobs, show_progress))
    if not draft.entries:
        return Status.USAGE if draft.unloaded else Status.NOTHING_CHECKED
    if "markdown" not in places:
        click.echo(draft.page, nl=False)
    return Status.MET


def _refuse_bad_outputs(places: dict[str, Path]) -> None:
    faults = [*output_faults(places.values()), *picture_faults(places.get("picture"))]
    if faults:
        raise click.UsageError("\n".join(faults))


def _command(targets: Sequence[str], names: Sequence[str], climb: int, outputs: dict[str, Path | None]) -> str:
    given = [*targets, *(f"--family {name}" for name in names), *([f"--climb {climb}"] if climb != GENERATIONS else [])]
    return " ".join(["gradlab atlas", *given, *(f"--{name} {path}" for name, path in outputs.items() if path)])
