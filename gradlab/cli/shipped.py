"""`gradlab check --shipped`: all that ships with gradlab, each against the verdict it states."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from gradlab.cli.judging import Wishes, judged, lines_told, loaded, plan_of, reported, write
from gradlab.cli.status import Status

if TYPE_CHECKING:
    from gradlab.report.report import Report
    from gradlab.targets.shipped import Shipped


def check_shipped(wishes: Wishes) -> Status:
    """0 if every verdict is the one that is stated: exactly, or at least the level claimed where none is stated."""
    if not (wishes.verbose or wishes.json or wishes.time):
        return _check_side_by_side(wishes)
    from gradlab.report.terminal import print_lines, print_table, verdict_table
    from gradlab.report.times import time_table
    from gradlab.targets.shipped import shipped

    reports, not_checked = judged(loaded(list(shipped()), wishes)[0], wishes)
    stated = {
        report.implementation.name: _compared(report, shipped()[report.implementation.target]) for report in reports
    }
    for report in reports:
        if not (wishes.verbose or stated[report.implementation.name].startswith("yes")):
            print_lines(lines_told(report, wishes))
    print_table(verdict_table([report.run for report in reports], stated))
    if wishes.time:
        print_table(time_table((one.implementation.name, timing) for one in reports for timing in one.timings))
    write(wishes, reports, not_checked)
    return _status_as_stated(list(stated.values()))


def _check_side_by_side(wishes: Wishes) -> Status:
    """The same in a process for each processor; only the table is printed, and what is not as stated."""
    from concurrent.futures import ProcessPoolExecutor

    from gradlab.harness.plan import Progress
    from gradlab.report.progress import shown
    from gradlab.report.terminal import print_lines, print_table, verdict_table
    from gradlab.targets.shipped import shipped

    reports: list[Report] = []
    stated: dict[str, str] = {}
    with shown("what ships") as watch, ProcessPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        for name, report in zip(shipped(), pool.map(partial(_report, wishes), shipped()), strict=True):
            watch(Progress("what ships", name, "judged", len(reports), len(shipped()), 0))
            if report is None:
                continue
            reports.append(report)
            stated[report.implementation.name] = compared = _compared(report, shipped()[name])
            if not compared.startswith("yes"):
                print_lines(lines_told(report, wishes))
    print_table(verdict_table([report.run for report in reports], stated))
    return _status_as_stated(list(stated.values()))


def _status_as_stated(compared: Sequence[str]) -> Status:
    if not compared:
        return Status.NOTHING_CHECKED
    return Status.MET if all(text.startswith("yes") for text in compared) else Status.NOT_MET


def _report(wishes: Wishes, name: str) -> Report | None:
    """The report on something that ships, None where it claims none of the dtypes asked for."""
    (implementation,) = loaded([name], wishes)[0]
    plan = plan_of(implementation.claims, wishes)
    return None if wishes.dtypes and not plan.dtypes else reported(implementation, plan, wishes)


def _compared(report: Report, one: Shipped) -> str:
    if one.stated is None:
        return f"{'yes' if report.met else 'NO'}: at least {report.plan.level}"
    failed = {line.check.name for line in report.failures}
    missing = [check for check in one.because if check not in failed]
    if report.verdict != one.stated:
        return f"NO: {one.stated}"
    return f"NO: {', '.join(missing)} did not fail" if missing else f"yes: {one.stated}"
