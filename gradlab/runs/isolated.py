"""Targets loaded and checked in processes of their own: what ends one is a finding, and the run goes on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from gradlab.isolation.limits import TIMING, Limits
from gradlab.isolation.loading import GivenClaims, LoadedTarget, LoadedTargets, implementation_in_worker
from gradlab.runs.here import time_calls
from gradlab.runs.options import Listener, Options, Summary, plan_of, reason_not_to_run, refuse_faults

if TYPE_CHECKING:
    from gradlab.harness.run import Run
    from gradlab.isolation.worker_context import WorkerContext
    from gradlab.report.report import Report


@dataclass(frozen=True)
class Finished:
    """What comes back from a worker: the report, and the files of its failing problems, by name and text."""

    report: Report
    cases: tuple[tuple[str, str], ...]


def run_in_workers(targets: Sequence[str], options: Options, listener: Listener) -> Summary:
    """What the targets come to, in the order in which they are given.

    Raises TargetError where one does not load, OutputError where a case cannot be kept, and WorkerError for an error
    of gradlab's own.
    """
    from gradlab.isolation.supervisor import pool_in

    limits, given = options.limits or Limits(), GivenClaims(options.claims, options.dtypes)
    with pool_in(str(options.here), limits, options.jobs) as pool:
        loaded = LoadedTargets(pool, targets, given)
        found = loaded.found
        refuse_faults(loaded.faults, loaded.unloaded, found, options)
        reasons = [reason_not_to_run(one, options) for one in found]
        to_run = [one for one, reason in zip(found, reasons, strict=True) if reason is None]
        runners = [loaded.begin(one, partial(check_in_worker, one, options)) for one in to_run]
        reports = []
        for one, runner in zip(to_run, runners, strict=True):
            with listener.progress(one.name) as watch:
                finished = pool.result_of(runner, watch)
            reports.append(_keep(finished, options))
            listener.report(reports[-1])
        return Summary(tuple(reports), tuple(one for one in reasons if one is not None), tuple(loaded.unloaded))


def _keep(finished: Finished | str, options: Options) -> Report:
    """The report that came from a worker, its failing problems kept. Raises TargetError where there is none."""
    from gradlab.storage.files import keep_texts, writing
    from gradlab.targets.importing import TargetError

    if isinstance(finished, str):
        raise TargetError(finished)
    if options.cases is not None:
        with writing():
            keep_texts(finished.cases, options.cases)
    return finished.report


def check_in_worker(one: LoadedTarget, options: Options, context: WorkerContext) -> Finished | str:
    """What one implementation comes to, after what earlier workers have done; or why it does not load."""
    from gradlab.cases.cases import case_texts
    from gradlab.evaluation.call import call_for, made_for
    from gradlab.harness.resume import Course
    from gradlab.harness.run import run_checks
    from gradlab.report.report import report_of
    from gradlab.runs.state import RunState
    from gradlab.targets.importing import TargetError

    try:
        own = implementation_in_worker(one, GivenClaims(options.claims, options.dtypes), context)
    except TargetError as error:
        return str(error)
    recorded, plan = context.record_calls(own), plan_of(one.claims, options)
    checkpoint, state = context.checkpoint, RunState(recorded, plan)
    course = Course(
        state.unpacked(checkpoint.kept) if checkpoint.kept else None,
        lambda done: context.keep(lambda: state.packed(done)),
        checkpoint.given_up,
        checkpoint.cut_short,
        lambda problem: context.is_known(call_for(recorded, problem)),
    )
    run = run_checks(recorded, plan, context.watch, course)
    with made_for("keeping cases"):
        cases = tuple(case_texts(run, options.here)) if options.cases is not None else ()
    run = replace(run, implementation=own, seconds=time.monotonic() - checkpoint.began)
    return Finished(report_of(_with_times(run, options, context), options.cases), cases)


def _with_times(run: Run, options: Options, context: WorkerContext) -> Run:
    """The run with what calls cost, where that is asked for, and where it did not end an earlier worker."""
    from gradlab.measure.timing import Timing

    if not options.time:
        return run
    harm = context.harm_of(TIMING) or run.cut_short
    if harm:
        return replace(run, timings=tuple(Timing(dtype, (0, 0), note=harm) for dtype in run.dtypes))
    with context.span(TIMING, TIMING):
        return time_calls(run, context.watch)
