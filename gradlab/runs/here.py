"""Targets loaded and checked in this process: a crash ends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gradlab.isolation.limits import TIMING
from gradlab.runs.options import Listener, Options, Summary, ignore, plan_of, reason_not_to_run, refuse_faults
from gradlab.targets.naming import distinct_names

if TYPE_CHECKING:
    from gradlab.evaluation.call import Implementation
    from gradlab.harness.plan import Plan, Watch
    from gradlab.harness.run import Run
    from gradlab.report.report import Report


def run_here(targets: Sequence[str], options: Options, listener: Listener) -> Summary:
    """What the targets come to. Raises TargetError where one does not load."""
    from gradlab.targets.load import TargetError, load

    found: list[Implementation] = []
    faults: list[str] = []
    unloaded: list[str] = []
    for target in dict.fromkeys(targets):
        try:
            found += load(target, options.claims, options.dtypes, unloaded)
        except TargetError as error:
            faults.append(str(error))
    refuse_faults(faults, unloaded, found, options)
    return replace(run_implementations(found, options, listener), unloaded=tuple(unloaded))


def run_implementations(found: Sequence[Implementation], options: Options, listener: Listener) -> Summary:
    """What implementations come to, one after the other, under names that tell them apart.

    Raises OutputError where a case cannot be kept.
    """
    found = [replace(one, name=name) for one, name in zip(found, distinct_names(found), strict=True)]
    reasons = [reason_not_to_run(one, options) for one in found]
    reports = []
    for one, reason in zip(found, reasons, strict=True):
        if reason is None:
            with listener.progress(one.name) as watch:
                report = run_one(one, plan_of(one.claims, options), options, watch)
            listener.report(report)
            reports.append(report)
    return Summary(tuple(reports), tuple(reason for reason in reasons if reason is not None))


def run_one(implementation: Implementation, plan: Plan, options: Options, watch: Watch = ignore) -> Report:
    """The report on one implementation, its failing problems kept. Raises OutputError."""
    from gradlab.cases.cases import keep_failures
    from gradlab.harness.run import run_checks
    from gradlab.report.report import report_of
    from gradlab.storage.files import writing

    run = run_checks(implementation, plan, watch)
    if options.cases is not None:
        with writing():
            keep_failures(run, options.cases, options.here)
    return report_of(time_calls(run, watch) if options.time else run, options.cases)


def time_calls(run: Run, watch: Watch) -> Run:
    """The run with what calls cost."""
    from gradlab.harness.plan import Progress
    from gradlab.measure.timing import timings

    watch(Progress(run.implementation.name, run.dtypes[-1], TIMING, 0, 1, len(run.failing)))
    return replace(run, timings=tuple(timings(run.implementation, run.dtypes)))
