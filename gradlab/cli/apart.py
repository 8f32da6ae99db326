"""Targets loaded and judged, and cases replayed, in processes of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradlab.claims import Claims
from gradlab.cli.judging import (
    Wishes,
    distinct_names,
    not_asked,
    plan_of,
    refuse_faults,
    summed_up,
    timed,
    writing,
)
from gradlab.isolation.limits import LOADING, TIMING, Limits

if TYPE_CHECKING:
    from gradlab.evaluation import Implementation
    from gradlab.harness.run import Report
    from gradlab.isolation.desk import Desk
    from gradlab.isolation.supervisor import Pool, Supervised
    from gradlab.report.json_report import NotChecked
    from gradlab.report.judged import Judged


@dataclass(frozen=True)
class Offered:
    """One implementation that a target stands for: the target, its place among what that stands for, and itself."""

    given: str
    place: int
    name: str
    target: str
    claims: Claims


@dataclass(frozen=True)
class Loaded:
    """What a target stands for, why it does not load, or what is wrong with some of its files."""

    found: tuple[Offered, ...]
    fault: str = ""
    unloaded: tuple[str, ...] = ()


def judged_apart(targets: Sequence[str], wishes: Wishes) -> tuple[list[Judged], list[NotChecked], list[str]]:
    """What the targets come to, told as it comes; what was not checked; what is wrong with files of folders."""
    from gradlab.isolation.supervisor import Pool, Supervised

    given = list(dict.fromkeys(targets))
    here, limits = str(wishes.here), wishes.limits or Limits()
    with closing(Pool(wishes.jobs, lambda: Supervised(here, limits))) as pool:
        members = [pool.given(partial(load_here, target, wishes)) for target in given]
        loads = [_load(pool, member, number < wishes.jobs) for number, member in enumerate(members)]
        found = [one for load in loads for one in load.found]
        unloaded = [fault for load in loads for fault in load.unloaded]
        refuse_faults([load.fault for load in loads if load.fault], unloaded, found)
        names = distinct_names([(one.name, one.target) for one in found])
        firsts = dict(zip(given, members, strict=True))
        asked, not_checked = [], []
        for one, name in zip(found, names, strict=True):
            reason = not_asked((name, one.target), one.claims, wishes)
            if reason is not None:
                not_checked.append(reason)
                continue
            task = partial(judge_here, replace(one, name=name), wishes)
            asked.append((name, pool.given(task, firsts.pop(one.given, None))))
        return [_told(pool, name, member, wishes) for name, member in asked], not_checked, unloaded


def _load(pool: Pool, member: Supervised, stays: bool) -> Loaded:
    """What a target stands for; the worker that has loaded it may stay for the next task."""
    load: Loaded = pool.result_of(member)
    if not stays:
        member.close()
    return load


def _told(pool: Pool, name: str, member: Supervised, wishes: Wishes) -> Judged:
    """What an implementation comes to, its failing problems kept and all of it told."""
    from gradlab.harness.cases import keep_texts
    from gradlab.report.progress import shown
    from gradlab.report.terminal import print_lines

    with shown(name) as watch:
        judged: Judged | str = pool.result_of(member, watch)
    member.close()
    if isinstance(judged, str):
        raise click.UsageError(judged)
    with writing():
        keep_texts(judged.cases, wishes.cases)
    print_lines(["", *judged.lines])
    return replace(judged, cases=())


def load_here(target: str, wishes: Wishes, desk: Desk) -> Loaded:
    """What a target stands for, in the worker; what does not load, or ends the process, is told of."""
    from gradlab.adapters.load import TargetError, files_that_may_offer, folder_of, load, load_offered, offers_nothing

    found: list[Implementation] = []
    unloaded: list[str] = []
    try:
        folder = folder_of(target)
        if folder is None:
            found = loaded_under_watch(target, partial(load, target, wishes.claims, wishes.dtypes), desk)
        for path in files_that_may_offer(folder) if folder is not None else ():
            offered = partial(load_offered, path, wishes.claims, wishes.dtypes)
            try:
                found += loaded_under_watch(str(path), offered, desk)
            except TargetError as error:
                unloaded.append(str(error))
        if folder is not None and not (found or unloaded):
            raise TargetError(offers_nothing(folder))
    except TargetError as error:
        return Loaded((), str(error))
    desk.memo[target] = found
    return Loaded(
        tuple(Offered(target, place, one.name, one.target, one.claims) for place, one in enumerate(found)),
        unloaded=tuple(unloaded),
    )


def loaded_under_watch(what: str, load: Callable[[], list[Implementation]], desk: Desk) -> list[Implementation]:
    """What is loaded. Raises TargetError, also where loading it ended an earlier worker."""
    from gradlab.adapters.importing import TargetError

    if harm := desk.harm_of(what):
        raise TargetError(f"{what} does not import: it {harm}")
    with desk.span(what, LOADING):
        return load()


def judge_here(one: Offered, wishes: Wishes, desk: Desk) -> Judged | str:
    """What one implementation comes to, in a worker, after what others have left behind; or why it does not load."""
    from gradlab.adapters.importing import TargetError
    from gradlab.adapters.load import load
    from gradlab.evaluation import call_for, made_for
    from gradlab.harness.cases import case_texts
    from gradlab.harness.course import Course
    from gradlab.harness.run import judge
    from gradlab.isolation.state import RunState

    try:
        again = partial(load, one.target, wishes.claims, wishes.dtypes)
        own = (
            desk.memo[one.given][one.place]
            if one.given in desk.memo
            else loaded_under_watch(one.target, again, desk)[0]
        )
    except TargetError as error:
        return str(error)
    own = replace(own, name=one.name)
    watched, plan = desk.supervised(own), plan_of(one.claims, wishes)
    behind, state = desk.behind, RunState(watched, plan)
    course = Course(
        state.unpacked(behind.kept) if behind.kept else None,
        lambda done: desk.keep(lambda: state.packed(done)),
        behind.given_up,
        behind.cut_short,
        lambda problem: desk.is_known(call_for(watched, problem)),
    )
    report = judge(watched, plan, desk.watch, course)
    with made_for("keeping cases"):
        cases = list(case_texts(report, wishes.here))
    report = replace(report, implementation=own, seconds=time.monotonic() - behind.began)
    return summed_up(_timed(report, wishes, desk), wishes, cases)


def _timed(report: Report, wishes: Wishes, desk: Desk) -> Report:
    """The report with what calls cost, where that is asked for, and where it did not end an earlier worker."""
    from gradlab.harness.timing import Timing

    if not wishes.time:
        return report
    harm = desk.harm_of(TIMING) or report.cut_short
    if harm:
        return replace(report, timings=tuple(Timing(dtype, (0, 0), note=harm) for dtype in report.dtypes))
    with desk.span(TIMING, TIMING):
        return timed(report, desk.watch)


def replayed_apart(path: Path, limits: Limits) -> tuple[bool, list[str]] | str:
    """Whether a case is fixed, and what is told of it; or why it cannot run."""
    from gradlab.isolation.supervisor import Pool, Supervised

    with closing(Pool(1, lambda: Supervised(str(Path.cwd()), limits))) as pool:
        outcome: tuple[bool, list[str]] | str = pool.result_of(pool.given(partial(replay_here, path)))
        return outcome


def replay_here(path: Path, desk: Desk) -> tuple[bool, list[str]] | str:
    """The same in a worker."""
    from gradlab.adapters.load import TargetError
    from gradlab.harness.cases import CaseError, read_case
    from gradlab.harness.replay import implementation_of_case, replay
    from gradlab.report.replayed import told

    try:
        case = read_case(path)
        (implementation,) = loaded_under_watch(case.target, lambda: [implementation_of_case(case)], desk)
        outcome = replay(case, desk.supervised(implementation))
    except (CaseError, TargetError) as error:
        return str(error)
    return outcome.fixed, list(told(outcome))
