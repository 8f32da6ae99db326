"""The problems that an implementation is tried on: what its claims let through of the families and strategies."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from gradlab.claims import Claims
from gradlab.conditioning import rows_in_range
from gradlab.harness.profiles import Profile
from gradlab.problems.dtypes import format_of
from gradlab.problems.families import family_problems
from gradlab.problems.families.options import one_hot, option_problems
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem


@lru_cache(maxsize=16)
def problems_for(claims: Claims, dtype: str, extent: tuple[str, int]) -> tuple[Problem, ...]:
    """The families of extent = (profile, seed) with the first objective claimed, then each option that is claimed."""
    profile, seed = extent
    fmt = format_of(dtype)
    plain = tuple(stated(claims, problem) for problem in family_problems(fmt, profile, seed))
    optional = [p for reduction in claims.reduction for p in option_problems(fmt, seed, reduction)]
    return plain + tuple(problem for problem in optional if allows(claims, problem.objective))


def problems_in_run(claims: Claims, dtype: str, extent: tuple[Profile, int]) -> tuple[Problem, ...]:
    """All problems of a run with extent = (profile, seed): those of the families, then those that are drawn."""
    from gradlab.harness.search import drawn_problems

    profile, seed = extent
    families = problems_for(claims, dtype, (profile.families, seed))
    drawn = drawn_problems(claims, dtype, (profile.examples, seed))
    return tuple(problem for problem in families + drawn if may_be_asked(claims, problem))


def may_be_asked(claims: Claims, problem: Problem) -> bool:
    """Whether the claims admit a problem: masked logits; targets of any sum, or of 1 to within its rounding.

    And whether there is a bound for it at all: whether what the options make of finite logits stays in range.
    """
    if not rows_in_range(problem).all():
        return False
    if not claims.masks and bool((problem.logits64 == -np.inf).any()):
        return False
    if not claims.normalised_targets or problem.objective.targets == "index":
        return True
    sums = problem.targets.astype(np.float64).sum(axis=1)
    return bool((np.abs(sums - 1) <= problem.n_classes * problem.format.unit_roundoff).all())


def stated(claims: Claims, problem: Problem) -> Problem:
    """The problem with the reduction and the kind of target that the implementation claims first."""
    objective = replace(problem.objective, reduction=claims.reduction[0])
    problem = problem.replace(objective=objective)
    return problem if claims.targets[0] == "index" else one_hot(problem)


def allows(claims: Claims, objective: Objective) -> bool:
    """Whether an implementation with these claims can be asked for this objective."""
    known = objective.reduction in claims.reduction and objective.targets in claims.targets
    return known and set(objective.options()) <= set(claims.options)
