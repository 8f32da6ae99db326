"""All that ships with gradlab, each against the verdict it states."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from gradlab.runs.here import run_here, run_one
from gradlab.runs.options import Listener, Options, Summary, plan_of, reason_not_to_run

if TYPE_CHECKING:
    from gradlab.report.report import Report


def run_shipped(options: Options, listener: Listener) -> Summary:
    """The reports on all that ships, one after the other in this process."""
    from gradlab.targets.shipped import shipped_targets

    return run_here(list(shipped_targets()), options, listener)


def run_shipped_side_by_side(options: Options, listener: Listener) -> Summary:
    """The same in a process for each processor, up to four; without what claims none of the dtypes asked for."""
    from concurrent.futures import ProcessPoolExecutor

    from gradlab.harness.plan import Progress
    from gradlab.targets.shipped import shipped_targets

    reports: list[Report] = []
    with listener.progress("what ships") as watch, ProcessPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        for name, report in zip(shipped_targets(), pool.map(partial(_report, options), shipped_targets()), strict=True):
            watch(Progress("what ships", name, "checked", len(reports), len(shipped_targets()), 0))
            if report is not None:
                listener.report(report)
                reports.append(report)
    return Summary(tuple(reports))


def comparison_with_stated(report: Report) -> str:
    """How the verdict compares with the one that is stated, "yes: ..." or "NO: ..."; where none is, with the level."""
    from gradlab.targets.shipped import shipped_targets

    one = shipped_targets()[report.implementation.target]
    if one.stated is None:
        return f"{'yes' if report.met else 'NO'}: at least {report.plan.level}"
    failed = {line.check.name for line in report.failures}
    missing = [check for check in one.because if check not in failed]
    if report.verdict != one.stated:
        return f"NO: {one.stated}"
    return f"NO: {', '.join(missing)} did not fail" if missing else f"yes: {one.stated}"


def _report(options: Options, name: str) -> Report | None:
    from gradlab.targets.load import load

    (implementation,) = load(name, options.claims, options.dtypes)
    if reason_not_to_run(implementation, options) is not None:
        return None
    return run_one(implementation, plan_of(implementation.claims, options), options)
