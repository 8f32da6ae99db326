"""Targets judged side by side: each from a process of gradlab's own, which has another one for the code."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gradlab.isolation.supervisor import TaskRunner, WorkerError
from gradlab.judged.reach import out_of_reach
from gradlab.judged.remotes import LoadedTarget, LoadedTargets, implementation_of, pool_of_judges
from gradlab.runs.here import cases_of, keep, run_and_report
from gradlab.runs.judged import given_by
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
from gradlab.targets.importing import TargetError

if TYPE_CHECKING:
    from gradlab.harness.plan import Watch
    from gradlab.isolation.pool import Pool
    from gradlab.isolation.worker_context import WorkerContext
    from gradlab.report.json import NotChecked
    from gradlab.report.report import Report


@dataclass(frozen=True)
class Finished:
    """What comes back from a worker: the report, and the files of its failing problems, by name and text."""

    report: Report
    cases: tuple[tuple[str, str], ...]


def run_by_judges(targets: Sequence[str], options: Options, listener: Listener) -> Summary:
    """What the targets come to, in the order in which they are given.

    An interrupt has what is being run conclude, and what has not begun not begin; a second one ends it at once. Raises
    in a strict run TargetError where a target does not load, and WorkerError for an error of gradlab's own.
    """
    given = given_by(options)
    with out_of_reach(), pool_of_judges(given.place, options.jobs) as pool:
        loaded = LoadedTargets(pool, targets, given)
        not_checked = [
            *(not_run(one.given, one.fault, one.error) for one in loaded.loadings if one.fault),
            *files_not_loaded(loaded.unloaded),
        ]
        refuse_faults(not_checked, loaded.found, options)
        reasons = [reason_not_to_run(one, options) for one in loaded.found]
        not_checked += [one for one in reasons if one is not None]
        to_run = [one for one, reason in zip(loaded.found, reasons, strict=True) if reason is None]
        runners = [loaded.begin(one, partial(judge_in_worker, one, options)) for one in to_run]
        reports: list[Report] = []
        unkept: list[str] = []
        for one, runner in zip(to_run, runners, strict=True):
            with listener.progress(one.name) as watch:
                finished = _finished(pool, runner, one, watch)
            if isinstance(finished, Finished):
                reports.append(finished.report)
                listener.report(finished.report)
                unkept += keep(finished.cases, options)
            else:
                refuse_faults([finished], [], options)
                not_checked.append(finished)
        return Summary(tuple(reports), tuple(not_checked), tuple(unkept), pool.is_interrupted)


def _finished(pool: Pool, runner: TaskRunner, one: LoadedTarget, watch: Watch) -> Finished | NotChecked:
    """What comes of one implementation; why nothing does, if so, such as an error of gradlab's own."""
    try:
        found = _result(pool, runner, watch)
    except WorkerError as error:
        return not_run(one.name, str(error), error)
    return found if isinstance(found, Finished) else not_run(one.name, found)


def _result(pool: Pool, runner: TaskRunner, watch: Watch) -> Any:
    """The result of the runner's task; an interrupt has it conclude, a second one is raised. Raises WorkerError."""
    while True:
        try:
            return pool.result_of(runner, watch)
        except KeyboardInterrupt:
            if pool.is_interrupted:
                raise
            pool.interrupt()


def judge_in_worker(one: LoadedTarget, options: Options, context: WorkerContext) -> Finished | str:
    """What one implementation comes to, called in another process; or why nothing was tried."""
    with out_of_reach(), ExitStack() as stack:
        try:
            implementation = implementation_of(one, given_by(options), context, stack)
        except TargetError as error:
            return f"it did not load again: {error}"
        gc.freeze()  # what is loaded by now stays: the collector would go through it all again, some times a run
        try:
            run, report = run_and_report(implementation, plan_of(one.claims, options), options, context.watch)
        except TargetError as error:
            return str(error)
        return Finished(report, tuple(cases_of(run, options)))
