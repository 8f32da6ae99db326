"""Targets loaded and checked in this process: a crash ends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gradlab.evaluation.foreign import spelled_error
from gradlab.isolation.limits import INTERRUPTED, STOPS, TIMING
from gradlab.runs.options import (
    Listener,
    Options,
    Summary,
    files_not_loaded,
    ignore,
    not_run,
    plan_of,
    reason_not_to_run,
    refuse_faults,
)
from gradlab.targets.importing import TargetError
from gradlab.targets.naming import distinct_names

if TYPE_CHECKING:
    from gradlab.evaluation.call import Implementation
    from gradlab.harness.plan import Plan, Watch
    from gradlab.harness.run import Run
    from gradlab.report.json import NotChecked
    from gradlab.report.report import Report


def run_here(targets: Sequence[str], options: Options, listener: Listener) -> Summary:
    """What the targets come to. Raises TargetError in a strict run where one does not load."""
    from gradlab.targets.in_scope import load_in_scope

    found: list[Implementation] = []
    faults: list[NotChecked] = []
    unloaded: list[str] = []
    for target in dict.fromkeys(targets):
        try:
            found += load_in_scope(target, options.claims, options.dtypes, unloaded)
        except TargetError as error:
            faults.append(not_run(target, str(error)))
    return run_loaded(found, [*faults, *files_not_loaded(unloaded)], options, listener)


def run_loaded(
    found: Sequence[Implementation], faults: Sequence[NotChecked], options: Options, listener: Listener
) -> Summary:
    """What implementations come to, beside what does not load. Raises TargetError in a strict run for the latter."""
    refuse_faults(faults, found, options)
    run = run_implementations(found, options, listener)
    return replace(run, not_checked=(*run.not_checked, *faults))


def run_implementations(found: Sequence[Implementation], options: Options, listener: Listener) -> Summary:
    """What implementations come to, one after the other, under names that tell them apart.

    An interrupt ends the run on one of them with what was found by then, and those that follow are not checked.
    """
    found = [replace(one, name=name) for one, name in zip(found, distinct_names(found), strict=True)]
    reasons = [reason_not_to_run(one, options) for one in found]
    not_checked = [reason for reason in reasons if reason is not None]
    reports: list[Report] = []
    unkept: list[str] = []
    to_run = [one for one, reason in zip(found, reasons, strict=True) if reason is None]
    place, is_interrupted = 0, False
    for place, one in enumerate(to_run):
        try:
            reports.append(_told(one, options, listener, unkept))
        except KeyboardInterrupt:
            not_checked.append(not_run(one.name, STOPS[INTERRUPTED]))
            is_interrupted, place = True, place + 1
            break
        except Exception as error:
            own = None if isinstance(error, TargetError) else error
            refuse_faults([fault := not_run(one.name, spelled_error(error) if own else str(error), own)], [], options)
            not_checked.append(fault)
            continue
        if is_interrupted := reports[-1].cut_short == STOPS[INTERRUPTED]:
            place += 1
            break
    late = to_run[place:] if is_interrupted else []
    not_checked += [not_run(one.name, f"{STOPS[INTERRUPTED]} before it began") for one in late]
    return Summary(tuple(reports), tuple(not_checked), tuple(unkept), is_interrupted)


def _told(one: Implementation, options: Options, listener: Listener, unkept: list[str]) -> Report:
    """The report on one implementation, told before its failing problems are kept; unkept: why that cannot be."""
    with listener.progress(one.name) as watch:
        run, report = run_and_report(one, plan_of(one.claims, options), options, watch)
    listener.report(report)
    unkept += keep(cases_of(run, options), options)
    return report


def run_one(implementation: Implementation, plan: Plan, options: Options, watch: Watch = ignore) -> Report:
    """The report on one implementation, its failing problems kept. Raises OutputError."""
    from gradlab.storage.files import OutputError

    run, report = run_and_report(implementation, plan, options, watch)
    for fault in keep(cases_of(run, options), options):
        raise OutputError(fault)
    return report


def run_and_report(implementation: Implementation, plan: Plan, options: Options, watch: Watch) -> tuple[Run, Report]:
    """The run on one implementation, and the report on it. Raises TargetError where no problem was tried."""
    from gradlab.harness.run import run_checks
    from gradlab.report.report import report_of

    run = run_checks(implementation, plan, watch)
    if run.cut_short and not run.lines:
        raise TargetError(f"{implementation.target or implementation.name}: no problem was tried: {run.cut_short}")
    run = _with_certificate(run, options)
    return run, report_of(time_calls(run, watch) if options.time else run, options.cases)


def _with_certificate(run: Run, options: Options) -> Run:
    """The run with what a certificate says of its curves, where a folder of certificates is given and there."""
    folder = options.certificates
    if folder is None or not run.drawn.curves or not (options.here / folder).is_dir():
        return run
    from gradlab.campaigns.exhaustive.covered import with_certificate
    from gradlab.harness.run import add_explanation

    explanation = "what a certificate says of its errors"
    return add_explanation(run, explanation, lambda run: with_certificate(run, folder, options.here))


def cases_of(run: Run, options: Options) -> Iterator[tuple[str, str]]:
    """The files of the failing problems of a run, by name and text; none where none are to be kept."""
    from gradlab.cases.cases import case_texts

    return iter(case_texts(run, options.here) if options.cases is not None else ())


def keep(cases: Iterable[tuple[str, str]], options: Options) -> list[str]:
    """Keeps the failing problems of a run, where that is asked for; why it cannot, if so."""
    from gradlab.cases.cases import keep_cases
    from gradlab.storage.files import OutputError, writing

    try:
        with writing():
            if options.cases is not None:
                keep_cases(cases, options.cases)
    except OutputError as error:
        return [str(error)]
    return []


def time_calls(run: Run, watch: Watch) -> Run:
    """The run with what calls cost."""
    from gradlab.harness.plan import Progress
    from gradlab.harness.run import add_explanation
    from gradlab.judged.timing import not_timed, timings_of
    from gradlab.measure.costs import costs

    if run.cut_short:
        return replace(run, timings=not_timed(run.dtypes, run.cut_short))

    watch(Progress(run.implementation.name, run.dtypes[-1], TIMING, 0, 1, len(run.failing)))
    measure = costs if run.implementation.capture.elsewhere is None else timings_of
    run = add_explanation(
        run, "what its calls cost", lambda run: replace(run, timings=tuple(measure(run.implementation, run.dtypes)))
    )
    if not run.plan.curves:
        return run
    return add_explanation(run, "how far off the timed calls are", _with_errors_of_timed)


def _with_errors_of_timed(run: Run) -> Run:
    """The run with how far off the answers to the timed problems are, a second or two for each dtype."""
    from gradlab.evaluation.call import made_for
    from gradlab.measure.timing import with_error

    with made_for(TIMING):
        return replace(run, timings=tuple(with_error(run.implementation, one) for one in run.timings))
