"""From what the command line asks for to reports: targets loaded, judged, told and written."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.harness.profiles import PROFILES
from gradlab.isolation.limits import TIMING, Limits

if TYPE_CHECKING:
    from gradlab.evaluation.call import Implementation
    from gradlab.evaluation.claims import Claims
    from gradlab.harness.plan import Plan, Watch
    from gradlab.harness.run import Run
    from gradlab.report.json import NotChecked
    from gradlab.report.report import Report


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for, besides the targets."""

    level: str | None
    profile: str
    dtypes: tuple[str, ...]
    seed: int
    json: Path | None
    cases: Path
    claims: dict[str, Any]
    verbose: bool
    time: bool
    limits: Limits | None = None
    jobs: int = 1
    here: Path = Path()
    shipped: bool = False


def loaded(targets: Sequence[str], wishes: Wishes) -> tuple[list[Implementation], list[str]]:
    """The implementations that the targets stand for, and what is wrong with the other files of folders among them.

    Every other target that does not load is told of, and ends the command.
    """
    from gradlab.targets.load import TargetError, load

    found: list[Implementation] = []
    faults: list[str] = []
    unloaded: list[str] = []
    for target in dict.fromkeys(targets):
        try:
            found += load(target, wishes.claims, wishes.dtypes, unloaded)
        except TargetError as error:
            faults.append(str(error))
    refuse_faults(faults, unloaded, found)
    names = distinct_names([(one.name, one.target) for one in found])
    return [replace(one, name=name) for one, name in zip(found, names, strict=True)], unloaded


def refuse_faults(faults: Sequence[str], unloaded: Sequence[str], found: Sequence[Any]) -> None:
    """Ends the command where a target does not load, or where nothing is found."""
    if faults or not found:
        raise click.UsageError("\n".join([*faults, *unloaded]))


def distinct_names(found: Sequence[tuple[str, str]]) -> list[str]:
    """The names of (name, target) pairs; the target for those that share one."""
    counts = Counter(name for name, _ in found)
    return [target if counts[name] > 1 else name for name, target in found]


def judged(found: Sequence[Implementation], wishes: Wishes) -> tuple[list[Report], list[NotChecked]]:
    """The reports, told as they come, and what claims none of the dtypes asked for."""
    reports: list[Report] = []
    not_checked: list[NotChecked] = []
    for implementation in found:
        reason = not_asked((implementation.name, implementation.target), implementation.claims, wishes)
        if reason is not None:
            not_checked.append(reason)
        else:
            reports.append(_judge(implementation, plan_of(implementation.claims, wishes), wishes))
    return reports, not_checked


def not_asked(named: tuple[str, str], claims: Claims, wishes: Wishes) -> NotChecked | None:
    """Why nothing is run on what is named (name, target): it does not claim the level, or the dtypes, asked for."""
    from gradlab.report.json import NotChecked

    if wishes.level == "accurate" and claims.derivative != "gradient":
        return NotChecked(*named, f"level accurate goes with derivative gradient alone, it claims {claims.derivative}")
    if not wishes.dtypes or plan_of(claims, wishes).dtypes:
        return None
    return NotChecked(*named, f"it claims {', '.join(claims.dtypes)}, not {', '.join(wishes.dtypes)}")


def plan_of(claims: Claims, wishes: Wishes) -> Plan:
    """What a run is to try; without dtypes where those asked for are not claimed."""
    from gradlab.harness.plan import Plan

    dtypes = tuple(dtype for dtype in dict.fromkeys(wishes.dtypes) if dtype in claims.dtypes)
    told = not wishes.shipped or wishes.verbose or wishes.json is not None  # the table alone has no room for the power
    return Plan(PROFILES[wishes.profile], wishes.seed, wishes.level or claims.level, dtypes, told)


def _judge(implementation: Implementation, plan: Plan, wishes: Wishes) -> Report:
    from gradlab.report.progress import shown
    from gradlab.report.terminal import print_lines

    with shown(implementation.name) as watch:
        report = reported(implementation, plan, wishes, watch)
    if not wishes.shipped or wishes.verbose:
        print_lines(lines_told(report, wishes))
    return report


def reported(
    implementation: Implementation, plan: Plan, wishes: Wishes, watch: Watch = lambda progress: None
) -> Report:
    """The report, its failing problems kept."""
    from gradlab.cases.cases import keep_failures
    from gradlab.harness.run import judge
    from gradlab.report.report import report_of

    run = judge(implementation, plan, watch)
    with writing():
        keep_failures(run, wishes.cases, wishes.here)
    return report_of(timed(run, watch) if wishes.time else run, wishes.cases)


def timed(run: Run, watch: Watch) -> Run:
    """The run with what calls cost."""
    from gradlab.harness.plan import Progress
    from gradlab.measure.timing import timings

    watch(Progress(run.implementation.name, run.dtypes[-1], TIMING, 0, 1, len(run.failing)))
    return replace(run, timings=tuple(timings(run.implementation, run.dtypes)))


def lines_told(report: Report, wishes: Wishes) -> Iterator[str]:
    """All that is said of one report, after an empty line."""
    yield ""
    yield from report.full_lines() if wishes.verbose else report.short_lines()


def write(wishes: Wishes, found: Sequence[Report], not_checked: Sequence[NotChecked]) -> None:
    """Writes the report as JSON where that is asked for."""
    from gradlab.harness.plan import Plan
    from gradlab.report.json import report_document
    from gradlab.storage.files import strict_json, write_whole

    if wishes.json:
        plan = Plan(PROFILES[wishes.profile], wishes.seed)
        document = report_document(plan, [one.run for one in found], not_checked)
        with writing():
            write_whole(wishes.json, strict_json(document))


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """What cannot be written ends the command."""
    try:
        yield
    except OSError as error:
        raise click.UsageError(f"cannot write: {error}") from error
