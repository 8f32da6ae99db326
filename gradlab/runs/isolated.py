"""Targets loaded and checked in processes of their own: what ends one is a finding, and the run goes on."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from gradlab.isolation.limits import TIMING, Limits
from gradlab.isolation.loading import GivenClaims, LoadedTarget, LoadedTargets, implementation_in_worker
from gradlab.runs.here import time_calls
from gradlab.runs.options import (
    Listener,
    Options,
    Summary,
    files_not_loaded,
    not_run,
    plan_of,
    reason_not_to_run,
    refuse_faults,
)

if TYPE_CHECKING:
    from gradlab.evaluation.call import Implementation
    from gradlab.harness.plan import Watch
    from gradlab.harness.run import Run
    from gradlab.isolation.pool import Pool
    from gradlab.isolation.supervisor import TaskRunner
    from gradlab.isolation.worker_context import WorkerContext
    from gradlab.report.json import NotChecked
    from gradlab.report.report import Report


@dataclass(frozen=True)
class Finished:
    """What comes back from a worker: the report, and the files of its failing problems, by name and text."""

    report: Report
    cases: tuple[tuple[str, str], ...]


def run_in_workers(targets: Sequence[str], options: Options, listener: Listener) -> Summary:
    """What the targets come to, in the order in which they are given.

    An interrupt has what is being run conclude, and what has not begun not begin; a second one ends it at once. Raises
    in a strict run TargetError where a target does not load, and WorkerError for an error of gradlab's own.
    """
    from gradlab.isolation.pool import pool_in

    limits, given = options.limits or Limits(), GivenClaims(options.claims, options.dtypes)
    with pool_in(str(options.here), limits, options.jobs) as pool:
        loaded = LoadedTargets(pool, targets, given)
        not_checked = [
            *(not_run(one.given, one.fault, one.error) for one in loaded.loadings if one.fault),
            *files_not_loaded(loaded.unloaded),
        ]
        refuse_faults(not_checked, loaded.found, options)
        reasons = [reason_not_to_run(one, options) for one in loaded.found]
        not_checked += [one for one in reasons if one is not None]
        to_run = [one for one, reason in zip(loaded.found, reasons, strict=True) if reason is None]
        seconds = 60 * options.minutes
        runners = [loaded.begin(one, partial(check_in_worker, one, options), seconds) for one in to_run]
        reports: list[Report] = []
        unkept: list[str] = []
        for one, runner in zip(to_run, runners, strict=True):
            with listener.progress(one.name) as watch:
                finished = _finished(pool, runner, one, watch)
            if isinstance(finished, Finished):
                reports.append(finished.report)
                listener.report(finished.report)
                unkept += _keep(finished, options)
            else:
                refuse_faults([finished], [], options)
                not_checked.append(finished)
        return Summary(tuple(reports), tuple(not_checked), tuple(unkept), pool.is_interrupted)


def _finished(pool: Pool, runner: TaskRunner, one: LoadedTarget, watch: Watch) -> Finished | NotChecked:
    """What comes of one implementation; why nothing does, if so."""
    from gradlab.isolation.supervisor import WorkerError

    try:
        try:
            found = pool.result_of(runner, watch)
        except KeyboardInterrupt:
            if pool.is_interrupted:
                raise
            pool.interrupt()
            found = pool.result_of(runner, watch)
    except WorkerError as error:
        return not_run(one.name, str(error), None if error.is_foreign else error)
    return found if isinstance(found, Finished) else not_run(one.name, found)


def _keep(finished: Finished, options: Options) -> list[str]:
    """Keeps the failing problems that came from a worker; why it cannot, if so."""
    from gradlab.cases.cases import keep_cases
    from gradlab.storage.files import OutputError, writing

    try:
        with writing():
            if options.cases is not None:
                keep_cases(finished.cases, options.cases)
    except OutputError as error:
        return [str(error)]
    return []


def check_in_worker(one: LoadedTarget, options: Options, context: WorkerContext) -> Finished | str:
    """What one implementation comes to, after what earlier workers have done; or why nothing was tried."""
    from gradlab.cases.cases import case_texts
    from gradlab.evaluation.call import made_for
    from gradlab.harness.resume import Course
    from gradlab.harness.run import run_checks
    from gradlab.harness.scopes import scope_of
    from gradlab.report.report import report_of
    from gradlab.runs.state import RunState

    checkpoint, plan = context.checkpoint, plan_of(one.claims, options)
    own, fault = _loaded_again(one, options, context)
    recorded = context.record_calls(own)
    state = RunState(recorded, plan)
    course = Course(
        state.unpacked(checkpoint.kept) if checkpoint.kept else None,
        lambda done: context.keep(lambda: state.packed(done)),
        checkpoint.given_up,
        "" if checkpoint.stops else checkpoint.cut_short,
        lambda problem: context.is_known(scope_of(one.claims).calls.call_for(recorded, problem)),
        lambda: fault or (checkpoint.cut_short if checkpoint.stops else context.reason_to_stop()),
        lambda done: context.keep_now(lambda: state.packed(done)),
    )
    gc.freeze()  # what is loaded by now stays: the collector would go through it all again, some times a run
    run = run_checks(recorded, plan, context.watch, course)
    if not run.lines:
        return run.cut_short
    with made_for("keeping cases"):
        cases = tuple(case_texts(run, options.here)) if options.cases is not None else ()
    run = replace(run, implementation=own, seconds=time.monotonic() - checkpoint.began)
    return Finished(report_of(_with_times(run, options, context), options.cases), cases)


def _loaded_again(one: LoadedTarget, options: Options, context: WorkerContext) -> tuple[Implementation, str]:
    """The implementation and ""; what stands for it where no foreign code is to run, or it does not load, and why.

    A target may load once and never again.
    """
    from gradlab.evaluation.call import Implementation
    from gradlab.report.report import FunctionElsewhere
    from gradlab.targets.importing import TargetError

    elsewhere = Implementation(one.name, FunctionElsewhere(one.name), one.claims, one.target)
    if context.checkpoint.stops:
        return elsewhere, ""
    try:
        return implementation_in_worker(one, GivenClaims(options.claims, options.dtypes), context), ""
    except TargetError as error:
        return elsewhere, f"it did not load again: {error}"


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
