"""`gradlab atlas`: how far off every framework that is installed is, and what it does at the edge of the domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.limits import isolation_options, limits_of
from gradlab.cli.offered import Claimed, Offered, Offers, implementation_here
from gradlab.cli.status import Status
from gradlab.isolation.limits import Limits, n_processors

if TYPE_CHECKING:
    from gradlab.campaigns.atlas.document import Missing
    from gradlab.campaigns.exhaustive.certificate import Certificate
    from gradlab.evaluation.call import Implementation
    from gradlab.harness.plan import Watch
    from gradlab.isolation.supervisor import Pool, Supervised
    from gradlab.isolation.worker_context import Desk
    from gradlab.problems.families import Family
    from gradlab.storage.encoding import Plain

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

    @property
    def measured(self) -> Measured:
        """What is measured of each target."""
        return Measured(tuple(one.name for one in self.families), self.generations, tuple(self.certificates))


@dataclass(frozen=True)
class Measured:
    """What is measured of each target: errors on families of these names, so many generations of climbed rows."""

    families: tuple[str, ...]
    generations: int
    certificates: tuple[Certificate, ...]


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
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N",
    help="How many to measure side by side.  [default: the processors]",
)  # fmt: skip
@isolation_options
def atlas(targets: tuple[str, ...], names: tuple[str, ...], climb: int, certificates: Path, **given: Any) -> Status:
    """Measure each TARGET in each dtype that it claims: verdict, largest errors in ULP, rules followed.

    The largest error of the loss, of the target's entry and of the others on each family of problems with finite logits
    (profile standard, seeds 0 to 7), and on rows that are changed towards larger errors for so many generations
    (--climb), with the input; the margin from which the target's entry is 0; and which rules it follows where
    implementations disagree, as `gradlab conform` tells. Without TARGETs: the frameworks that have an adapter, and some
    of gradlab's own. One whose package is not installed is left out. What is done is written after each target, in the
    order given. Each runs in processes of its own, as with `gradlab check`: what ends one is a finding.
    """
    from gradlab.campaigns.atlas.atlas import measured_families
    from gradlab.campaigns.atlas.document import certificates_in
    from gradlab.campaigns.exhaustive.certificate import CertificateError

    limits, jobs = limits_of(given), given.pop("jobs") or n_processors()
    outputs: dict[str, Path | None] = given
    places = {name: path.resolve() for name, path in outputs.items() if path}
    _refuse_bad_outputs(places)
    try:
        families, found = measured_families(names), certificates_in(certificates)
    except (ValueError, CertificateError) as error:
        raise click.UsageError(str(error)) from error
    made = Made(_command(targets, names, climb, outputs), families, climb, found, places)
    if limits is None:
        _measure_here(targets or DEFAULT, made)
    else:
        _measure_apart(targets or DEFAULT, made, limits, jobs)
    if not made.entries:
        return Status.NOTHING_CHECKED
    if "markdown" not in places:
        click.echo(_page(_document(made), made), nl=False)
    return Status.MET


def _refuse_bad_outputs(places: dict[str, Path]) -> None:
    from gradlab.storage.files import output_fault
    from gradlab.targets.importing import lacking

    faults = [fault for fault in map(output_fault, places.values()) if fault]
    if "picture" in places and lacking({"matplotlib": "plot"}):
        faults.append("--picture needs matplotlib, which the extra brings: gradlab-verify[plot]")
    if faults:
        raise click.UsageError("\n".join(faults))


def _command(targets: Sequence[str], names: Sequence[str], climb: int, outputs: dict[str, Path | None]) -> str:
    given = [*targets, *(f"--family {name}" for name in names), *([f"--climb {climb}"] if climb != GENERATIONS else [])]
    return " ".join(["gradlab atlas", *given, *(f"--{name} {path}" for name, path in outputs.items() if path)])


def _measure_here(targets: Sequence[str], made: Made) -> None:
    """Measures all in this process."""
    from gradlab.report.progress import shown
    from gradlab.targets.importing import MissingError
    from gradlab.targets.load import TargetError, load, with_gradients

    found: list[Implementation] = []
    for target in dict.fromkeys(targets):
        try:
            found += with_gradients(load(target, {}))
        except MissingError as error:
            _leave_out(target, str(error), made)
        except TargetError as error:
            raise click.UsageError(str(error)) from error
    for one in found:
        with shown(one.name) as watch:
            entry, behaviour = _entry(one, watch, made.measured), _behaviour(one, watch)
        _add(one.name, (entry, behaviour), made)


def _measure_apart(targets: Sequence[str], made: Made, limits: Limits, jobs: int) -> None:
    """Measures each in processes of its own."""
    from gradlab.isolation.supervisor import pool_in

    with pool_in(str(Path.cwd()), limits, jobs) as pool:
        offers = Offers(pool, targets, Claimed())
        faults = [load.fault for load in offers.loads if load.fault and not load.is_missing]
        if faults:
            raise click.UsageError("\n".join(faults))
        for load in offers.loads:
            if load.is_missing:
                _leave_out(load.given, load.fault, made)
        members = []
        for one in offers.found:  # bad labels in a worker of their own: what they spoil is not to be measured
            tasks = (
                partial(work_here, one, partial(_entry, measured=made.measured)),
                partial(work_here, one, _behaviour),
            )
            members.append((one, [offers.begin(one, task) for task in tasks]))
        for one, both in members:
            _take(one, (pool, both), made)


def _take(one: Offered, working: tuple[Pool, Sequence[Supervised]], made: Made) -> None:
    """Takes what was seen of one, or why that came to nothing."""
    from gradlab.isolation.supervisor import WorkerError
    from gradlab.report.progress import shown

    pool, members = working
    seen: list[Plain | str] = []
    try:
        for member in members:
            with shown(one.name) as watch:
                seen.append(pool.result_of(member, watch))
    except WorkerError as error:
        seen.append(f"{one.target}: {error}")
    reasons = [one for one in seen if isinstance(one, str)]
    if reasons:
        _leave_out(one.target, reasons[0], made)
    else:
        entry, behaviour = (one for one in seen if not isinstance(one, str))
        _add(one.name, (entry, behaviour), made)


def work_here(one: Offered, work: Callable[[Implementation, Watch], Plain], desk: Desk) -> Plain | str:
    """What is seen of one in a worker, or why that came to nothing."""
    from gradlab.targets.load import TargetError, with_gradients

    if desk.behind.cut_short:
        return f"{one.target}: {desk.behind.cut_short}"
    try:
        (implementation,) = with_gradients([implementation_here(one, Claimed(), desk)])
    except TargetError as error:
        return str(error)
    return work(desk.supervised(implementation), desk.watch)


def _entry(implementation: Implementation, watch: Watch, measured: Measured) -> Plain:
    from gradlab.campaigns.atlas.atlas import measured_families, measurement_of
    from gradlab.campaigns.atlas.document import encoded_entry

    what = (measured_families(measured.families), measured.generations)
    found = [measurement_of(implementation, dtype, what, watch) for dtype in implementation.claims.dtypes]
    return encoded_entry(implementation, found, measured.certificates)


def _behaviour(implementation: Implementation, watch: Watch) -> Plain:
    from gradlab.campaigns.atlas.atlas import behaviour_of
    from gradlab.campaigns.atlas.document import encoded_behaviour

    return encoded_behaviour([behaviour_of(implementation, dtype, watch) for dtype in implementation.claims.dtypes])


def _leave_out(target: str, reason: str, made: Made) -> None:
    from gradlab.campaigns.atlas.document import Missing

    click.echo(f"left out: {reason}", err=True)
    made.missing.append(Missing(target, reason))
    if made.entries:
        _write(made)


def _add(name: str, seen: tuple[Plain, Plain], made: Made) -> None:
    from gradlab.campaigns.atlas.document import with_behaviour

    entry = with_behaviour(*seen)
    made.entries.append(entry)
    for chart in entry["charts"]:
        click.echo(f"{name} {chart['dtype']}: {chart['verdict']}", err=True)
    _write(made)


def _write(made: Made) -> None:
    from gradlab.storage.files import strict_json, write_whole

    whole = _document(made)
    contents: dict[str, Callable[[], str]] = {
        "markdown": lambda: _page(whole, made),
        "json": lambda: strict_json(whole),
        "picture": lambda: _svg(whole),
    }
    try:
        for name, path in made.outputs.items():
            write_whole(path, contents[name]())
    except OSError as error:
        raise click.UsageError(f"cannot write: {error}") from error


def _document(made: Made) -> Plain:
    from gradlab.campaigns.atlas.document import document

    return document(made.command, made.families, made.entries, made.missing)


def _page(whole: Plain, made: Made) -> str:
    from gradlab.campaigns.atlas.page import as_markdown

    return as_markdown(whole, made.outputs["picture"].name if "picture" in made.outputs else None)


def _svg(whole: Plain) -> str:
    from gradlab.campaigns.atlas.picture import as_svg

    return as_svg(whole)
