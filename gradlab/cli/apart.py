"""Targets judged, and cases replayed, in processes of their own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradlab.cli.judging import (
    Wishes,
    lines_told,
    not_asked,
    plan_of,
    refuse_faults,
    timed,
    writing,
)
from gradlab.cli.offered import Claimed, Offered, Offers, implementation_here, loaded_under_watch
from gradlab.isolation.limits import TIMING, Limits

if TYPE_CHECKING:
    from gradlab.harness.run import Run
    from gradlab.isolation.supervisor import Pool, Supervised
    from gradlab.isolation.worker_context import Desk
    from gradlab.report.json import NotChecked
    from gradlab.report.report import Report


def judged_apart(targets: Sequence[str], wishes: Wishes) -> tuple[list[Report], list[NotChecked], list[str]]:
    """What the targets come to, told as it comes; what was not checked; what is wrong with files of folders."""
    from gradlab.isolation.supervisor import pool_in

    with pool_in(str(wishes.here), wishes.limits or Limits(), wishes.jobs) as pool:
        offers = Offers(pool, targets, Claimed(wishes.claims, wishes.dtypes))
        refuse_faults(offers.faults, offers.unloaded, offers.found)
        asked, not_checked = [], []
        for one in offers.found:
            reason = not_asked((one.name, one.target), one.claims, wishes)
            if reason is not None:
                not_checked.append(reason)
                continue
            asked.append((one.name, offers.begin(one, partial(judge_here, one, wishes))))
        return [_told(pool, name, member, wishes) for name, member in asked], not_checked, offers.unloaded


def _told(pool: Pool, name: str, member: Supervised, wishes: Wishes) -> Report:
    """What an implementation comes to, its failing problems kept and all of it told."""
    from gradlab.report.progress import shown
    from gradlab.report.terminal import print_lines
    from gradlab.storage.files import keep_texts

    with shown(name) as watch:
        found: Finished | str = pool.result_of(member, watch)
    if isinstance(found, str):
        raise click.UsageError(found)
    with writing():
        keep_texts(found.cases, wishes.cases)
    print_lines(lines_told(found.report, wishes))
    return found.report


@dataclass(frozen=True)
class Finished:
    """What comes back from a worker: the report, and the files of its failing problems, by name and text."""

    report: Report
    cases: tuple[tuple[str, str], ...]


def judge_here(one: Offered, wishes: Wishes, desk: Desk) -> Finished | str:
    """What one implementation comes to, in a worker, after what others have left behind; or why it does not load."""
    from gradlab.cases.cases import case_texts
    from gradlab.evaluation.call import call_for, made_for
    from gradlab.harness.resume import Course
    from gradlab.harness.run import judge
    from gradlab.isolation.state import RunState
    from gradlab.report.report import report_of
    from gradlab.targets.importing import TargetError

    try:
        own = implementation_here(one, Claimed(wishes.claims, wishes.dtypes), desk)
    except TargetError as error:
        return str(error)
    watched, plan = desk.supervised(own), plan_of(one.claims, wishes)
    behind, state = desk.behind, RunState(watched, plan)
    course = Course(
        state.unpacked(behind.kept) if behind.kept else None,
        lambda done: desk.keep(lambda: state.packed(done)),
        behind.given_up,
        behind.cut_short,
        lambda problem: desk.is_known(call_for(watched, problem)),
    )
    run = judge(watched, plan, desk.watch, course)
    with made_for("keeping cases"):
        cases = tuple(case_texts(run, wishes.here))
    run = replace(run, implementation=own, seconds=time.monotonic() - behind.began)
    return Finished(report_of(_timed(run, wishes, desk), wishes.cases), cases)


def _timed(run: Run, wishes: Wishes, desk: Desk) -> Run:
    """The run with what calls cost, where that is asked for, and where it did not end an earlier worker."""
    from gradlab.measure.timing import Timing

    if not wishes.time:
        return run
    harm = desk.harm_of(TIMING) or run.cut_short
    if harm:
        return replace(run, timings=tuple(Timing(dtype, (0, 0), note=harm) for dtype in run.dtypes))
    with desk.span(TIMING, TIMING):
        return timed(run, desk.watch)


def replayed_apart(path: Path, limits: Limits) -> tuple[bool, list[str]] | str:
    """Whether a case is fixed, and what is told of it; or why it cannot run."""
    from gradlab.isolation.supervisor import pool_in

    with pool_in(str(Path.cwd()), limits, 1) as pool:
        outcome: tuple[bool, list[str]] | str = pool.result_of(pool.given(partial(replay_here, path)))
        return outcome


def replay_here(path: Path, desk: Desk) -> tuple[bool, list[str]] | str:
    """The same in a worker."""
    from gradlab.cases.cases import CaseError, read_case
    from gradlab.cases.replay import implementation_of_case, replay
    from gradlab.cases.report import told
    from gradlab.targets.load import TargetError

    try:
        case = read_case(path)
        (implementation,) = loaded_under_watch(case.target, lambda: [implementation_of_case(case)], desk)
        outcome = replay(case, desk.supervised(implementation))
    except (CaseError, TargetError) as error:
        return str(error)
    return outcome.fixed, list(told(outcome))
