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

if TYPE_CHECKING:
    from gradlab.evaluation import Implementation
    from gradlab.harness.run import Plan, Report, Watch
    from gradlab.report.json_report import NotChecked


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
    here: Path = Path()
    shipped: bool = False


def loaded(targets: Sequence[str], wishes: Wishes) -> tuple[list[Implementation], list[str]]:
    """The implementations that the targets stand for, and what is wrong with the other files of folders among them.

    Every other target that does not load is told of, and ends the command.
    """
    from gradlab.adapters.load import TargetError, load

    found: list[Implementation] = []
    faults: list[str] = []
    unloaded: list[str] = []
    for target in dict.fromkeys(targets):
        try:
            found += load(target, wishes.claims, wishes.dtypes, unloaded)
        except TargetError as error:
            faults.append(str(error))
    if faults or not found:
        raise click.UsageError("\n".join([*faults, *unloaded]))
    return _under_distinct_names(found), unloaded


def _under_distinct_names(found: list[Implementation]) -> list[Implementation]:
    counts = Counter(one.name for one in found)
    return [replace(one, name=one.target) if counts[one.name] > 1 else one for one in found]


def judged(found: Sequence[Implementation], wishes: Wishes) -> tuple[list[Report], list[NotChecked]]:
    """The reports, told as they come, and what claims none of the dtypes asked for."""
    from gradlab.report.json_report import NotChecked

    reports: list[Report] = []
    not_checked: list[NotChecked] = []
    for implementation in found:
        plan = plan_of(implementation, wishes)
        if wishes.dtypes and not plan.dtypes:
            claimed = ", ".join(implementation.claims.dtypes)
            reason = f"it claims {claimed}, not {', '.join(wishes.dtypes)}"
            not_checked.append(NotChecked(implementation.name, implementation.target, reason))
        else:
            reports.append(_judge(implementation, plan, wishes))
    return reports, not_checked


def plan_of(implementation: Implementation, wishes: Wishes) -> Plan:
    """What a run is to try; without dtypes where those asked for are not claimed."""
    from gradlab.harness.run import Plan

    dtypes = tuple(dtype for dtype in dict.fromkeys(wishes.dtypes) if dtype in implementation.claims.dtypes)
    told = not wishes.shipped or wishes.verbose or wishes.json is not None  # the table alone has no room for the power
    return Plan(PROFILES[wishes.profile], wishes.seed, wishes.level or implementation.claims.level, dtypes, told)


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
    from gradlab.harness.cases import keep_failures
    from gradlab.harness.run import judge

    report = judge(implementation, plan, watch)
    with _writing():
        keep_failures(report, wishes.cases, wishes.here)
    return _timed(report, watch) if wishes.time else report


def _timed(report: Report, watch: Watch) -> Report:
    from gradlab.harness.run import Progress
    from gradlab.harness.timing import timings

    watch(Progress(report.implementation.name, report.dtypes[-1], "time", 0, 1, len(report.failing)))
    return replace(report, timings=tuple(timings(report.implementation, report.dtypes)))


def lines_told(report: Report, wishes: Wishes) -> Iterator[str]:
    """All that is said of one report, after an empty line."""
    from gradlab.report.findings import all_failures, few_failures, told

    yield ""
    yield from told(report, all_failures if wishes.verbose else few_failures)


def write(wishes: Wishes, reports: Sequence[Report], not_checked: Sequence[NotChecked]) -> None:
    """Writes the report as JSON where that is asked for."""
    from gradlab.harness.files import strict_json, write_whole
    from gradlab.harness.run import Plan
    from gradlab.report.json_report import report_document

    if wishes.json:
        plan = Plan(PROFILES[wishes.profile], wishes.seed)
        with _writing():
            write_whole(wishes.json, strict_json(report_document(plan, reports, not_checked)))


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.UsageError(f"cannot write: {error}") from error
