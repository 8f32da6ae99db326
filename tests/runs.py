"""Runs that end as soon as what a test asks of them is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gradlab.api import Target, implementations_of, plan_for
from gradlab.checks.check import Check
from gradlab.evaluation.call import Implementation
from gradlab.harness.plan import Plan
from gradlab.harness.run import Report, judge
from gradlab.harness.selection import problems_in_run
from gradlab.harness.tally import results_of


def rejects(implementation: Implementation, plan: Plan, check: Check, dtype: str) -> bool:
    """Whether the check fails on a problem of the run with this plan; none is tried after the first that fails."""
    claims = implementation.claims
    return any(
        not result.passed
        for problem in problems_in_run(claims, dtype, plan.profile, plan.seed)
        if check.applies(claims, problem)
        for _, result in results_of((check,), implementation, problem)
    )


def checked(target: Target, dtypes: tuple[str, ...] = (), **claims: Any) -> Report:
    """What `gradlab.check` finds with the quick profile, but for the power of the run."""
    (implementation,) = implementations_of(target, claims, dtypes)
    return judge(implementation, replace(plan_for(implementation, profile="quick", dtypes=dtypes), power=False))
