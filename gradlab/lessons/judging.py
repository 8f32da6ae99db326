"""A submission judged, whose code runs in another process; and the same of a function in this one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from gradlab.evaluation.call import Implementation
from gradlab.harness.plan import Plan
from gradlab.isolation.limits import Limits
from gradlab.judged.process import Place
from gradlab.judged.reach import out_of_reach
from gradlab.judged.remote import Remote, Wanted
from gradlab.lessons.outcome import Outcome, outcome_of, refusal_of
from gradlab.lessons.task import Task
from gradlab.runs.here import run_and_report
from gradlab.runs.options import Options, ignore
from gradlab.targets.importing import TargetError
from gradlab.targets.in_scope import load_callable

LIMITS = Limits(call_seconds=10.0, load_seconds=30.0, memory=2 << 30)  # of a submission, which is small


def judge_submission(target: str, task: Task, seed: int, here: Path, limits: Limits = LIMITS) -> Outcome:
    """What a submission comes to. target: one function, such as loss.py:loss, in the folder `here`.

    The same for the same target, task, seed and versions, where no limit of time ends it.
    """
    wanted, place = Wanted(target, task.claims), Place(str(here), limits)
    with out_of_reach(), closing(Remote(wanted, place)) as remote:
        try:
            found = remote.load()
            if len(found) > 1:
                return refusal_of(f"{target} stands for {len(found)} functions, must be one")
            return _judged(replace(found[0], name=target), task, seed)
        except TargetError as error:
            return refusal_of(str(error))


def judge_function(function: Callable[..., Any], task: Task, seed: int) -> Outcome:
    """The same of a function that runs in this process, where a crash is the end of it."""
    try:
        return _judged(load_callable(function, task.claims), task, seed)
    except TargetError as error:
        return refusal_of(str(error))


def _judged(one: Implementation, task: Task, seed: int) -> Outcome:
    plan = Plan(task.profile, seed, task.level, power=False, minutes=task.profile.minutes)
    _, report = run_and_report(one, plan, Options(seed=seed), ignore)
    return outcome_of(report, task)
