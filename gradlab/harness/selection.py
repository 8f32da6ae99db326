"""The problems that an implementation is tried on: what its claims let through of the families and strategies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from math import isqrt

import numpy as np

from gradlab.bounds.conditioning import rows_in_range
from gradlab.bounds.second_order import stays_in_range
from gradlab.harness.profiles import Profile
from gradlab.implementation.claims import Claims
from gradlab.problems.coefficients import denominators_of
from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.families import FAMILIES, families_of, family_problems
from gradlab.problems.families.options import one_hot, option_problems
from gradlab.problems.families.vectors import with_vector
from gradlab.problems.objective import Objective
from gradlab.problems.problem import PRODUCT, Problem

LARGEST_HESSIAN = 2**16  # entries of a whole batch's: certified in 0.2 s
AGAIN = {"quick": 1, "standard": 3}  # problems of a stress family for every other reduction and kind of target


@lru_cache(maxsize=4)  # of one implementation in each dtype: in standard they take 100 to 300 MB
def problems_for(claims: Claims, dtype: str, extent: tuple[str, int]) -> tuple[Problem, ...]:
    """The families of extent = (profile, seed) with the first objective claimed, then the other objectives.

    These are other reductions and kinds of targets, on some of each stress family, and the options that are claimed.
    """
    profile, seed = extent
    fmt = format_of(dtype)
    families = _of_derivative(claims.derivative, family_problems(fmt, profile, seed))
    plain = tuple(stated(claims, problem) for problem in families) + tuple(_stress_again(claims, families, profile))
    optional = [p for reduction in claims.reduction for p in _optional(claims, fmt, (seed, reduction))]
    chosen = (problem for problem in optional if _takes(claims, problem.objective))
    return plain + tuple(_asking_for(claims.derivative, problem) for problem in chosen)


def _of_derivative(derivative: str, problems: list[Problem]) -> list[Problem]:
    """Those of the problems of families that are asked of this derivative."""
    left_out = {family.name for family in FAMILIES if family.gradient_only and derivative != "gradient"}
    return [problem for problem in problems if problem.family not in left_out]


def _stress_again(claims: Claims, families: Sequence[Problem], profile: str) -> Iterator[Problem]:
    """Problems of every stress family for each reduction and kind of target but the first: each may be code of its own.

    AGAIN of a family's, others for each, or all where the profile has no such number.
    """
    stress = [family.name for family in families_of(profile) if family.stress]
    by_family = [[problem for problem in families if problem.family == name] for name in stress]
    _, *others = product(claims.targets, claims.reduction)
    for number, (targets, reduction) in enumerate(others, start=1):
        own = replace(claims, targets=(targets,), reduction=(reduction,))
        for some in by_family:
            count = min(AGAIN.get(profile, len(some)), len(some))
            yield from (stated(own, some[i % len(some)]) for i in range(number * count, (number + 1) * count))


def _optional(claims: Claims, fmt: Format, what: tuple[int, str]) -> list[Problem]:
    """Problems with options for what = (seed, reduction): for the first rule of the mean that is claimed all of them.

    For every other rule those on which it makes a difference.
    """
    seed, reduction = what
    first, *others = claims.mean_over
    found = option_problems(fmt, seed, reduction, first)
    for rule in others:
        problems = option_problems(fmt, seed, reduction, rule) if reduction == "mean" else []
        found += [one for one in problems if denominators_of(one, first).sum() != denominators_of(one, rule).sum()]
    return found


def problems_in_run(claims: Claims, dtype: str, extent: tuple[Profile, int]) -> tuple[Problem, ...]:
    """All problems of a run with extent = (profile, seed): those of the families, then those that are drawn."""
    from gradlab.harness.search import drawn_problems

    profile, seed = extent
    families = problems_for(claims, dtype, (profile.families, seed))
    drawn = drawn_problems(claims, dtype, (profile.examples, seed))
    return tuple(problem for problem in families + drawn if may_be_asked(claims, problem))


def may_be_asked(claims: Claims, problem: Problem) -> bool:
    """Whether the claims admit a problem, and whether there is one right answer to it, and a bound.

    There is no bound where the options, or a vector, make something out of range of finite logits. A Hessian has at
    most LARGEST_HESSIAN entries.
    """
    if problem.objective.derivative == "hessian" and problem.logits.size * problem.n_classes > LARGEST_HESSIAN:
        return False
    in_range = bool(rows_in_range(problem).all()) and stays_in_range(problem)
    return in_range and not is_left_open(problem) and admits(claims, problem)


def admits(claims: Claims, problem: Problem) -> bool:
    """Whether the claims admit a problem: masked logits; targets of any sum, or of 1 to within its rounding."""
    if not claims.masks and bool((problem.logits64 == -np.inf).any()):
        return False
    if not claims.normalised_targets or problem.objective.targets == "index":
        return True
    sums = problem.targets.astype(np.float64).sum(axis=1)
    return bool((np.abs(sums - 1) <= problem.n_classes * problem.format.unit_roundoff).all())


def is_left_open(problem: Problem) -> bool:
    """Whether sound code may answer in more than one way, since a number of a row is 0, or next to it.

    A row of sample weight 0, or with 0 from above, whose logits are not all finite: 0 for code that leaves it out, and
    NaN, as 0 times inf, for code that multiplies. And a mean whose sample weights sum to 0, over rows that count, or
    are themselves subnormal, so that their sum may have no digit, and no finite reciprocal.
    """
    options = problem.objective.per_row_options
    if not options:
        return False
    idle = (np.array(list(options.values())) == 0).any(axis=0)
    if bool((idle & ~np.isfinite(problem.logits64).all(axis=1)).any()):
        return True
    if problem.objective.reduction != "mean":
        return False
    own = denominators_of(problem, problem.objective.mean_over)
    tiny = (own > 0) & (own < problem.format.smallest_normal)
    return bool(tiny.any() or (own.sum() == 0 and not problem.ignored_rows.all()))


def stated(claims: Claims, problem: Problem) -> Problem:
    """The problem with the reduction, rule of the mean and kind of target claimed first, and the derivative claimed."""
    objective = replace(problem.objective, reduction=claims.reduction[0], mean_over=claims.mean_over[0])
    problem = problem.replace(objective=objective)
    if claims.derivative == "hessian":
        problem = _cut(problem)
    problem = problem if claims.targets[0] == "index" else one_hot(problem)
    return _asking_for(claims.derivative, problem)


def _cut(problem: Problem) -> Problem:
    """As many of the first classes, then of the first rows, as a Hessian of LARGEST_HESSIAN entries has room for.

    A label beyond them becomes that of the last of them. Of labels only, which all families have.
    """
    n_classes = min(problem.n_classes, isqrt(LARGEST_HESSIAN))
    n_rows = min(problem.n_rows, LARGEST_HESSIAN // n_classes**2)
    if (n_rows, n_classes) == problem.logits.shape:
        return problem
    labels = np.minimum(problem.targets[:n_rows], n_classes - 1)
    return problem.replace(logits=problem.logits[:n_rows, :n_classes], targets=labels)


def allows(claims: Claims, objective: Objective) -> bool:
    """Whether an implementation with these claims can be asked for this objective."""
    return _takes(claims, objective) and objective.derivative == claims.derivative


def _takes(claims: Claims, objective: Objective) -> bool:
    known = objective.reduction in claims.reduction and objective.targets in claims.targets
    known &= objective.mean_over in claims.mean_over or not objective.has_ruled_mean
    return known and set(objective.options) <= set(claims.options)


def _asking_for(derivative: str, problem: Problem) -> Problem:
    """The problem with this derivative, and with a vector where it needs one."""
    if derivative == problem.objective.derivative:
        return problem
    if derivative == PRODUCT:
        return with_vector(problem)
    return problem.replace(objective=replace(problem.objective, derivative=derivative))
