"""`gradlab atlas`: how far off every framework that is installed is, and what it does at the edge of the domain."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.status import Status

if TYPE_CHECKING:
    from gradlab.evaluation import Implementation
    from gradlab.harness.atlas_document import Missing
    from gradlab.harness.encoding import Plain
    from gradlab.harness.exhaustive_certificate import Certificate
    from gradlab.problems.families import Family

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


@dataclass(frozen=True)
class Made:
    """What an atlas is made of, and where it goes; entries grow target by target."""

    command: str
    families: Sequence[Family]
    generations: int
    certificates: Sequence[Certificate]
    outputs: dict[str, Path]
    missing: list[Missing] = field(default_factory=list)
    entries: list[Plain] = field(default_factory=list)


@click.command(short_help="The errors of every framework installed, family by family.")
@click.argument("targets", nargs=-1)
@click.option("--family", "names", multiple=True, metavar="NAME", help="Measure errors on it only. May be repeated.")
@click.option("--climb", type=click.IntRange(min=0), default=GENERATIONS, show_default=True, metavar="GENERATIONS")
@click.option(
    "--markdown", type=click.Path(path_type=Path), metavar="FILE", help="Write the page there, not to stdout."
)
@click.option("--json", type=click.Path(path_type=Path), metavar="FILE", help="Write all that was seen there.")
@click.option("--picture", type=click.Path(path_type=Path), metavar="FILE", help="Draw it there, as SVG (extra: plot).")
@click.option(
    "--certificates", type=click.Path(path_type=Path), default=CERTIFICATES, show_default=True, metavar="DIR",
    help="Of `gradlab exhaustive`: their figures stand beside.",
)  # fmt: skip
def atlas(
    targets: tuple[str, ...], names: tuple[str, ...], climb: int, certificates: Path, **outputs: Path | None
) -> Status:
    """Measure each TARGET in each dtype that it claims: verdict, largest errors in ULP, rules followed.

    The largest error of the loss, of the target's entry and of the others on each family of problems with finite logits
    (profile standard, seeds 0 to 7), and on rows that are changed towards larger errors for so many generations
    (--climb), with the input; the margin from which the target's entry is 0; and which rules it follows where
    implementations disagree, as `gradlab conform` tells. Without TARGETs: the frameworks that have an adapter, and some
    of gradlab's own. One whose package is not installed is left out. What is done is written after each target.
    """
    from gradlab.harness.atlas import measured_families
    from gradlab.harness.atlas_document import certificates_in
    from gradlab.harness.exhaustive_certificate import CertificateError

    places = {name: path.resolve() for name, path in outputs.items() if path}
    _refuse_bad_outputs(places)
    try:
        families, found = measured_families(names), certificates_in(certificates)
    except (ValueError, CertificateError) as error:
        raise click.UsageError(str(error)) from error
    made = Made(_command(targets, names, climb, outputs), families, climb, found, places)
    for implementation in _loaded(targets or DEFAULT, made):
        _measure(implementation, made)
    if not made.entries:
        return Status.NOTHING_CHECKED
    if "markdown" not in places:
        click.echo(_page(made), nl=False)
    return Status.MET


def _refuse_bad_outputs(places: dict[str, Path]) -> None:
    from gradlab.adapters.importing import lacking
    from gradlab.harness.files import output_fault

    faults = [fault for fault in map(output_fault, places.values()) if fault]
    if "picture" in places and lacking({"matplotlib": "plot"}):
        faults.append("--picture needs matplotlib, which the extra brings: gradlab-verify[plot]")
    if faults:
        raise click.UsageError("\n".join(faults))


def _command(targets: Sequence[str], names: Sequence[str], climb: int, outputs: dict[str, Path | None]) -> str:
    given = [*targets, *(f"--family {name}" for name in names), *([f"--climb {climb}"] if climb != GENERATIONS else [])]
    return " ".join(["gradlab atlas", *given, *(f"--{name} {path}" for name, path in outputs.items() if path)])


def _loaded(targets: Sequence[str], made: Made) -> list[Implementation]:
    """The implementations whose packages are there; the others are told of, and listed as missing."""
    from gradlab.adapters.importing import MissingError
    from gradlab.adapters.load import TargetError, load
    from gradlab.harness.atlas_document import Missing

    found: list[Implementation] = []
    for target in dict.fromkeys(targets):
        try:
            found += load(target, {})
        except MissingError as error:
            click.echo(f"left out: {error}", err=True)
            made.missing.append(Missing(target, str(error)))
        except TargetError as error:
            raise click.UsageError(str(error)) from error
    return found


def _measure(implementation: Implementation, made: Made) -> None:
    """Measures one target in a process of its own; one that ends its process is told of, and listed as missing."""
    from gradlab.harness.atlas_document import Missing

    what = (implementation.target, [one.name for one in made.families], made.generations, made.certificates)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            made.entries.append(pool.submit(_entry, what).result())
        except BrokenProcessPool:
            reason = f"{implementation.target} ended the process that it was measured in"
            click.echo(f"left out: {reason}", err=True)
            made.missing.append(Missing(implementation.target, reason))
        else:
            for chart in made.entries[-1]["charts"]:
                click.echo(f"{implementation.name} {chart['dtype']}: {chart['verdict']}", err=True)
    _write(made)


def _entry(what: tuple[str, list[str], int, Sequence[Certificate]]) -> Plain:
    """The entry of a target, on the families of these names."""
    from gradlab.adapters.load import load
    from gradlab.harness.atlas import charted, measured_families
    from gradlab.harness.atlas_document import encoded_entry
    from gradlab.report.progress import shown

    target, names, generations, certificates = what
    (implementation,) = load(target, {})
    charts = []
    for dtype in implementation.claims.dtypes:
        with shown(implementation.name) as watch:
            charts.append(charted(implementation, dtype, (measured_families(names), generations), watch))
    return encoded_entry(implementation, charts, certificates)


def _write(made: Made) -> None:
    from gradlab.harness.files import strict_json, write_whole

    contents: dict[str, Any] = {"markdown": _page, "json": lambda made: strict_json(_document(made)), "picture": _svg}
    try:
        for name, path in made.outputs.items():
            write_whole(path, contents[name](made))
    except OSError as error:
        raise click.UsageError(f"cannot write: {error}") from error


def _document(made: Made) -> Plain:
    from gradlab.harness.atlas_document import document

    return document(made.command, made.families, made.entries, made.missing)


def _page(made: Made) -> str:
    from gradlab.report.atlas import as_markdown

    return as_markdown(_document(made), made.outputs["picture"].name if "picture" in made.outputs else None)


def _svg(made: Made) -> str:
    from gradlab.report.atlas_picture import as_svg

    return as_svg(_document(made))
