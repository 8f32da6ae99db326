"""`gradlab check`: verdicts on implementations."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.claims import LEVELS, OPTIONS
from gradlab.cli.status import Status
from gradlab.harness.files import CASES
from gradlab.harness.profiles import PROFILES
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.problems.objective import REDUCTIONS, TARGETS

if TYPE_CHECKING:
    from gradlab.adapters.shipped import Shipped
    from gradlab.evaluation import Implementation
    from gradlab.harness.run import Plan, Report, Watch
    from gradlab.report.json_report import NotChecked
    from gradlab.report.terminal import Row


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
    here: Path = Path()
    shipped: bool = False


@click.command(short_help="Verdicts on implementations.")
@click.argument("targets", nargs=-1)
@click.option("--shipped", is_flag=True, help="All that ships with gradlab, each against the verdict it states.")
@click.option("--level", type=click.Choice(LEVELS), help="The verdict asked for.  [default: as claimed, or stable]")
@click.option("--profile", type=click.Choice(list(PROFILES)), default="standard", show_default=True)
@click.option("--dtype", "dtypes", type=click.Choice(DTYPE_NAMES), multiple=True, help="Check it. May be repeated.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--json", type=click.Path(path_type=Path), metavar="FILE", help="Write the report there too.")
@click.option(
    "--cases",
    type=click.Path(path_type=Path),
    default=CASES,
    show_default=True,
    metavar="DIR",
    help="Where failing problems are kept.",
)
@click.option("--reduction", type=click.Choice(REDUCTIONS), multiple=True, help="Claim it. May be repeated.")
@click.option("--targets", "kinds", type=click.Choice(TARGETS), multiple=True, help="Claim it. May be repeated.")
@click.option("--option", "options", type=click.Choice(OPTIONS), multiple=True, help="Claim it. May be repeated.")
@click.option("--verbose", is_flag=True, help="Show every failure, not only the most costly.")
def check(targets: tuple[str, ...], shipped: bool, **given: Any) -> Status:
    """The verdict on each TARGET: wrong, unstable, stable or accurate.

    A TARGET is package.module:callable, file.py:callable, a file (all functions that it marks with
    @gradlab.implementation or lists in __all__), a folder, the name of a shipped implementation, or an entry point of
    the group gradlab.implementations.
    """
    named = {"reduction": given.pop("reduction"), "targets": given.pop("kinds"), "options": given.pop("options")}
    wishes = Wishes(claims={name: value for name, value in named.items() if value}, **given)
    click.echo(_heading(wishes))  # before anything heavy is imported
    _refuse_bad_outputs(wishes)
    here = Path.cwd()  # what is checked may go elsewhere
    json = here / wishes.json if wishes.json else None
    wishes = replace(wishes, cases=here / wishes.cases, json=json, here=here, shipped=shipped)
    if shipped == bool(targets):
        raise click.UsageError("give one TARGET or more, or --shipped; `gradlab check --help` says what a target is")
    if shipped:
        return _check_shipped(wishes)
    found, unloaded = _loaded(targets, wishes)
    return _status(*_run(found, unloaded, wishes), unloaded)


def _heading(wishes: Wishes) -> str:
    from importlib.metadata import version

    level = f" \u00b7 level {wishes.level}" if wishes.level else ""
    return f"gradlab {version('gradlab-verify')} \u00b7 profile {wishes.profile} \u00b7 seed {wishes.seed}{level}"


def _refuse_bad_outputs(wishes: Wishes) -> None:
    from gradlab.harness.files import folder_fault, output_fault

    faults = [folder_fault(wishes.cases), output_fault(wishes.json) if wishes.json else None]
    if any(faults):
        raise click.UsageError("\n".join(fault for fault in faults if fault))


def _loaded(targets: Sequence[str], wishes: Wishes) -> tuple[list[Implementation], list[str]]:
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


def _run(
    found: Sequence[Implementation], unloaded: Sequence[str], wishes: Wishes
) -> tuple[list[Report], list[NotChecked]]:
    """The reports, in order, and what could not be checked; told as they come, then written."""
    from gradlab.report.json_report import NotChecked
    from gradlab.report.terminal import print_lines, print_table, verdict_table

    reports, not_checked = _judged(found, wishes)
    not_checked += [NotChecked("a file", "", fault) for fault in unloaded]
    if reports:
        print_table(verdict_table(reports, {}))
    print_lines(f"not checked {one.name}: {one.reason}" for one in not_checked)
    _write(wishes, reports, not_checked)
    return reports, not_checked


def _judged(found: Sequence[Implementation], wishes: Wishes) -> tuple[list[Report], list[NotChecked]]:
    from gradlab.report.json_report import NotChecked

    reports: list[Report] = []
    not_checked: list[NotChecked] = []
    for implementation in found:
        plan = _plan(implementation, wishes)
        if wishes.dtypes and not plan.dtypes:
            claimed = ", ".join(implementation.claims.dtypes)
            reason = f"it claims {claimed}, not {', '.join(wishes.dtypes)}"
            not_checked.append(NotChecked(implementation.name, implementation.target, reason))
        else:
            reports.append(_judge(implementation, plan, wishes))
    return reports, not_checked


def _plan(implementation: Implementation, wishes: Wishes) -> Plan:
    from gradlab.harness.run import Plan

    dtypes = tuple(dtype for dtype in dict.fromkeys(wishes.dtypes) if dtype in implementation.claims.dtypes)
    told = not wishes.shipped or wishes.verbose or wishes.json is not None  # the table alone has no room for the power
    return Plan(PROFILES[wishes.profile], wishes.seed, wishes.level or implementation.claims.level, dtypes, told)


def _judge(implementation: Implementation, plan: Plan, wishes: Wishes) -> Report:
    from gradlab.report.progress import shown
    from gradlab.report.terminal import print_lines

    with shown(implementation.name) as watch:
        report = _reported(implementation, plan, wishes, watch)
    if not wishes.shipped or wishes.verbose:
        print_lines(_told(report, wishes))
    return report


def _reported(
    implementation: Implementation, plan: Plan, wishes: Wishes, watch: Watch = lambda progress: None
) -> Report:
    """The report, its failing problems kept."""
    from gradlab.harness.cases import keep_failures
    from gradlab.harness.run import judge

    report = judge(implementation, plan, watch)
    with _writing():
        keep_failures(report, wishes.cases, wishes.here)
    return report


def _told(report: Report, wishes: Wishes) -> Iterator[str]:
    from gradlab.report.findings import all_failures, few_failures, told

    yield ""
    yield from told(report, all_failures if wishes.verbose else few_failures)


def _write(wishes: Wishes, reports: Sequence[Report], not_checked: Sequence[NotChecked]) -> None:
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


def _status(reports: Sequence[Report], not_checked: Sequence[NotChecked], unloaded: Sequence[str]) -> Status:
    if unloaded:
        return Status.USAGE
    if not any(report.lines for report in reports):
        return Status.NOTHING_CHECKED
    return Status.MET if all(report.met for report in reports) else Status.NOT_MET


def _check_shipped(wishes: Wishes) -> Status:
    """0 if every verdict is the one that is stated: exactly, or at least the level claimed where none is stated."""
    if not (wishes.verbose or wishes.json):
        return _check_side_by_side(wishes)
    from gradlab.adapters.shipped import shipped
    from gradlab.report.terminal import print_lines, print_table, verdict_table

    reports, not_checked = _judged(_loaded(list(shipped()), wishes)[0], wishes)
    stated = {
        report.implementation.name: _compared(report, shipped()[report.implementation.target]) for report in reports
    }
    for report in reports:
        if not (wishes.verbose or stated[report.implementation.name].startswith("yes")):
            print_lines(_told(report, wishes))
    print_table(verdict_table(reports, stated))
    _write(wishes, reports, not_checked)
    return _status_as_stated(list(stated.values()))


def _check_side_by_side(wishes: Wishes) -> Status:
    """The same in a process for each processor; only the table comes back, and what is not as stated."""
    from concurrent.futures import ProcessPoolExecutor

    from gradlab.adapters.shipped import shipped
    from gradlab.harness.run import Progress
    from gradlab.report.progress import shown
    from gradlab.report.terminal import print_lines, print_table, table_of

    rows: list[Row] = []
    with shown("what ships") as watch, ProcessPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        for name, (row, told) in zip(shipped(), pool.map(partial(_row, wishes), shipped()), strict=True):
            watch(Progress("what ships", name, "judged", len(rows), len(shipped()), 0))
            print_lines(told)
            rows += [] if row is None else [row]
    print_table(table_of(rows, "as stated"))
    return _status_as_stated([row.met for row in rows])


def _status_as_stated(compared: Sequence[str]) -> Status:
    if not compared:
        return Status.NOTHING_CHECKED
    return Status.MET if all(text.startswith("yes") for text in compared) else Status.NOT_MET


def _row(wishes: Wishes, name: str) -> tuple[Row | None, list[str]]:
    """What the table says of something that ships, and what else has to be told of it."""
    from gradlab.adapters.shipped import shipped
    from gradlab.report.terminal import row_of

    (implementation,) = _loaded([name], wishes)[0]
    plan = _plan(implementation, wishes)
    if wishes.dtypes and not plan.dtypes:
        return None, []
    report = _reported(implementation, plan, wishes)
    compared = _compared(report, shipped()[name])
    return row_of(report, compared), [] if compared.startswith("yes") else list(_told(report, wishes))


def _compared(report: Report, one: Shipped) -> str:
    if one.stated is None:
        return f"{'yes' if report.met else 'NO'}: at least {report.plan.level}"
    failed = {line.check.name for line in report.failures}
    missing = [check for check in one.because if check not in failed]
    if report.verdict != one.stated:
        return f"NO: {one.stated}"
    return f"NO: {', '.join(missing)} did not fail" if missing else f"yes: {one.stated}"
