"""`gradlab atlas`: how far off every framework that is installed is, and what it does at the edge of the domain."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.kept import certificates_option
from gradlab.cli.limits import Time, isolation_options, limits_of
from gradlab.cli.outputs import output_faults, picture_faults
from gradlab.cli.status import Status
from gradlab.isolation.limits import n_processors
from gradlab.targets.prefixes import LAYER

if TYPE_CHECKING:
    from gradlab.campaigns.atlas.run import Draft, Edition
    from gradlab.storage.encoding import Plain

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

LAYERS = (
    "layer:torch:cross_entropy",
    "layer:torch:linear_cross_entropy",
    "layer:torch:linear_cross_entropy_auto",
    "layer:torch:linear_cross_entropy_accurate",
    "layer:torch:linear_cross_entropy_compact",
    "layer:jax:log_softmax",
    "layer:jax:jax_cce.linear_cross_entropy",
    "layer:liger:fused_linear_cross_entropy",
    "layer:megatron:vocab_parallel_cross_entropy",
    "layer:sklearn:LinearModelLoss",
    "layer:statsmodels:MNLogit",
    "layer:mlxtend:SoftmaxRegression",
    "layer:layer_loop",
    "layer:layer",
    "layer:layer_chunked",
    "layer:layer_fused",
    "layer:layer_accurate",
)


@click.command(short_help="The errors of every installed framework, family by family.")
@click.argument("targets", nargs=-1)
@click.option(
    "--layers", is_flag=True, help="The atlas of layers: of TARGETs that begin with layer:, or of those known."
)
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
@certificates_option("The folder of the certificates whose figures are shown too.")
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N",
    help="How many to measure at the same time.  [default: one per processor]",
)  # fmt: skip
@click.option(
    "--minutes", type=Time("minutes"), metavar="N",
    help="How many minutes each of the two works on a target may take.  [default: any number]",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the atlas in the file of --json.")
@isolation_options
def atlas(targets: tuple[str, ...], layers: bool, **given: Any) -> Status:
    """Measure each TARGET in each dtype that it claims: verdict, largest errors in ULP, rules followed.

    For each family of problems with finite logits (profile standard, seeds 0 to 7): the largest error of the loss, of
    the target's entry and of the other entries, with the input. Then rows are changed towards larger errors, for
    --climb generations. Also: the margin from which the target's entry is 0, and the rules that `gradlab conform`
    finds.

    With --layers it measures layers, (X, W, b, labels) -> loss, dX, dW, db, on the families of profile quick: verdict,
    the largest errors of each output, family by family and by the margin of a confident head, rules, and findings with
    lines that show them without gradlab.

    Without TARGETs it measures the frameworks that have an adapter, and some of gradlab's own implementations. A
    framework that is not installed is left out, and so is a target whose time is up. Files are written after each
    target, in the order given. Each target runs in processes of its own, as with `gradlab check`: what ends a process
    is a finding.

    With --resume, targets in the file of --json are not measured again. It must be of the same command, versions and
    machine.
    """
    from gradlab.campaigns.atlas.run import Draft, measure
    from gradlab.campaigns.runner import Where
    from gradlab.report.progress import show_progress

    if given["minutes"] and given["in_process"]:
        raise click.UsageError("give --minutes or --in-process, not both")
    limits, jobs, resume = limits_of(given), given.pop("jobs") or n_processors(), given.pop("resume")
    asked = Asked(targets, layers, *(given.pop(name) for name in ("names", "climb", "certificates", "minutes")))
    outputs: dict[str, Path | None] = given
    places = {name: Path.cwd() / path for name, path in outputs.items() if path}
    _refuse_bad_outputs(places)
    draft = Draft(_edition(asked, outputs), places, lambda line: click.echo(line, err=True))
    draft.entries.extend(_entries_before(draft) if resume else [])
    seconds = 60 * (asked.minutes or inf)
    measure(targets or (LAYERS if layers else DEFAULT), draft, Where(limits, jobs, show_progress, seconds))
    if not draft.entries:
        return Status.USAGE if draft.unloaded else Status.NOTHING_CHECKED
    if "markdown" not in places:
        click.echo(draft.page, nl=False)
    return Status.MET


@dataclass(frozen=True)
class Asked:
    """What an atlas is asked to be: of which targets, and what is measured of losses of logits.

    minutes: which each work on a target may take, None for any number.
    """

    targets: tuple[str, ...]
    layers: bool
    names: tuple[str, ...]
    climb: int
    certificates: Path
    minutes: float | None


def _edition(asked: Asked, outputs: dict[str, Path | None]) -> Edition:
    """The atlas of losses or of layers. Raises UsageError for what does not go together."""
    from gradlab.campaigns.atlas.atlas import measured_families
    from gradlab.campaigns.atlas.run import Measured, edition_of_losses
    from gradlab.campaigns.exhaustive.certificate import CertificateError
    from gradlab.campaigns.exhaustive.lookup import certificates_in
    from gradlab.campaigns.layer_atlas.run import edition_of_layers

    command = _command(asked, outputs)
    strange = [one for one in asked.targets if one.startswith(LAYER) is not asked.layers]
    if strange:
        raise click.UsageError(
            f"{strange[0]}: an atlas is of losses, or with --layers of targets that begin with {LAYER}"
        )
    if asked.layers:
        if asked.names or asked.climb != GENERATIONS or outputs["picture"]:
            raise click.UsageError("--family, --climb and --picture go with the atlas of losses, not with --layers")
        return edition_of_layers(command)
    try:
        families, found = measured_families(asked.names), certificates_in(asked.certificates)
    except (ValueError, CertificateError) as error:
        raise click.UsageError(str(error)) from error
    return edition_of_losses(
        command, families, Measured(tuple(one.name for one in families), asked.climb, tuple(found.values()))
    )


def _entries_before(draft: Draft) -> list[Plain]:
    """What is measured already. Raises UsageError."""
    from gradlab.campaigns.atlas.run import measured_before

    if "json" not in draft.outputs:
        raise click.UsageError("--resume goes with --json")
    try:
        found = measured_before(draft.outputs["json"], draft.edition)
    except (ValueError, OSError) as error:
        raise click.UsageError(f"--resume: {error}") from error
    for entry in found:
        draft.say(f"measured before: {entry['target']}")
    return found


def _refuse_bad_outputs(places: dict[str, Path]) -> None:
    faults = [*output_faults(places.values()), *picture_faults(places.get("picture"))]
    if faults:
        raise click.UsageError("\n".join(faults))


def _command(asked: Asked, outputs: dict[str, Path | None]) -> str:
    given = [*(["--layers"] if asked.layers else []), *asked.targets, *(f"--family {name}" for name in asked.names)]
    given += [f"--climb {asked.climb}"] if asked.climb != GENERATIONS else []
    given += [f"--minutes {asked.minutes:g}"] if asked.minutes else []
    return " ".join(["gradlab atlas", *given, *(f"--{name} {path}" for name, path in outputs.items() if path)])
