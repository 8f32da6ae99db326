"""Whole runs, which cost most of the time: which of them come first, and where one may end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from gradlab.api import Target, implementations_of, plan_for
from gradlab.checks.check import Check
from gradlab.evaluation.call import Implementation
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES, Profile
from gradlab.harness.run import Run, run_checks
from gradlab.harness.selection import questions_in_run
from gradlab.harness.sizes import sized_questions
from gradlab.harness.tally import results_of
from gradlab.problems.families import FAMILIES

DTYPES = ("float32", "float64")
ONE_OF_EACH_FAMILY = Profile("one of each family", "quick", 4, 0, 0, asked=4, most=len(FAMILIES))  # and no sizes


def in_one_dtype_first(names: Iterable[Any]) -> list[Any]:
    """(name, dtype), as parameters: each name in one dtype, in turns, and marked `more` in the other."""
    return [
        pytest.param(name, dtype, marks=[] if number % 2 == place else [pytest.mark.more])
        for number, name in enumerate(names)
        for place, dtype in enumerate(DTYPES)
    ]


def only_first(names: Iterable[Any], *first: Any) -> list[Any]:
    """The names as parameters, all but the first ones marked `more`."""
    return [pytest.param(name, marks=[] if name in first else [pytest.mark.more]) for name in names]


def every(step: int, values: Iterable[Any], ids: Iterable[str]) -> list[Any]:
    """The values as parameters of these names, all but one of each `step` marked `more`: what takes a second each."""
    named = enumerate(zip(values, ids, strict=True))
    return [pytest.param(value, id=name, marks=[pytest.mark.more] * (n % step > 0)) for n, (value, name) in named]


def rejects(implementation: Implementation, plan: Plan, check: Check, dtype: str) -> bool:
    """Whether the check fails on a problem of the run with this plan; none is tried after the first that fails."""
    claims, families = implementation.claims, plan.profile.families
    of_sizes = sized_questions(claims, dtype, families) if check.group == "sizes" else iter(())
    return any(
        not result.passed
        for question in chain(of_sizes, questions_in_run(claims, dtype, plan.profile, plan.seed))
        if check in question.checks
        for _, result in results_of((check,), implementation, question.problem)
    )


def unexplained(implementation: Implementation, plan: Plan) -> Run:
    """What a run with this plan finds, but for its power and for what would explain it."""
    return run_checks(implementation, replace(plan, power=False), left_out=("diagnosis", "localisation"))


def run_with_diagnosis(implementation: Implementation, *dtypes: str) -> Run:
    """What a run on the quick families finds, and the known defects that explain it; no power, nothing smaller."""
    plan = Plan(replace(PROFILES["quick"], examples=0, shrinks=0), 0, "stable", dtypes, power=False)
    return run_checks(implementation, plan, left_out=("localisation",))


def checked(target: Target, dtypes: tuple[str, ...] = (), **claims: Any) -> Run:
    """What `gradlab.check` finds with the quick profile, but for the power of the run."""
    (implementation,) = implementations_of(target, claims, dtypes)
    return run_checks(implementation, replace(plan_for(implementation, profile="quick", dtypes=dtypes), power=False))
