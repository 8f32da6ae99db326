"""`gradlab check --shipped`: all that ships with gradlab, each against the verdict it states."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from gradlab.cli.judging import Wishes, judged, lines_told, loaded, plan_of, reported, summed_up, write
from gradlab.cli.status import Status

if TYPE_CHECKING:
    from gradlab.harness.run import Report
    from gradlab.report.terminal import Row
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
    print_table(verdict_table(reports, stated))
    if wishes.time:
        print_table(time_table((one.implementation.name, timing) for one in reports for timing in one.timings))
    write(wishes, [summed_up(report, wishes) for report in reports], not_checked)
    return _status_as_stated(list(stated.values()))


def _check_side_by_side(wishes: Wishes) -> Status:
    """The same in a process for each processor; only the table comes back, and what is not as stated."""
    from concurrent.futures import ProcessPoolExecutor

    from gradlab.harness.plan import Progress
    from gradlab.report.progress import shown
    from gradlab.report.terminal import print_lines, print_table, table_of
    from gradlab.targets.shipped import shipped

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
    from gradlab.report.terminal import row_of
    from gradlab.targets.shipped import shipped

    (implementation,) = loaded([name], wishes)[0]
    plan = plan_of(implementation.claims, wishes)
    if wishes.dtypes and not plan.dtypes:
        return None, []
    report = reported(implementation, plan, wishes)
    compared = _compared(report, shipped()[name])
    return row_of(report, compared), [] if compared.startswith("yes") else list(lines_told(report, wishes))


def _compared(report: Report, one: Shipped) -> str:
    if one.stated is None:
        return f"{'yes' if report.met else 'NO'}: at least {report.plan.level}"
    failed = {line.check.name for line in report.failures}
    missing = [check for check in one.because if check not in failed]
    if report.verdict != one.stated:
        return f"NO: {one.stated}"
    return f"NO: {', '.join(missing)} did not fail" if missing else f"yes: {one.stated}"
