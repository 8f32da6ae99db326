"""What an implementation may be asked, by its claims, and a problem put into the form that they let through."""

from __future__ import annotations

from dataclasses import replace
from math import isqrt

import numpy as np

from gradlab.evaluation.claims import Claims
from gradlab.problems.coefficients import denominators_of
from gradlab.problems.families.options import one_hot
from gradlab.problems.families.vectors import with_vector
from gradlab.problems.objective import Objective
from gradlab.problems.problem import PRODUCT, Problem

LARGEST_HESSIAN = 2**16  # entries of a whole batch's: certified in 0.2 s


def allows(claims: Claims, objective: Objective) -> bool:
    """Whether an implementation with these claims can be asked for this objective."""
    return takes(claims, objective) and objective.derivative == claims.derivative


def takes(claims: Claims, objective: Objective) -> bool:
    known = objective.reduction in claims.reduction and objective.targets in claims.targets
    known &= objective.mean_over in claims.mean_over or not objective.has_ruled_mean
    return known and set(objective.options) <= set(claims.options)


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

    A row of sample weight 0, or of upstream gradient 0, whose logits are not all finite: 0 for code that leaves it out,
    and NaN, as 0 times inf, for code that multiplies. And a mean whose sample weights sum to 0, over rows that count,
    or are themselves subnormal, so that their sum may have no digit, and no finite reciprocal.
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


def adapt_to_claims(claims: Claims, problem: Problem) -> Problem:
    """The problem with the reduction, rule of the mean and kind of target claimed first, and the derivative claimed."""
    objective = replace(problem.objective, reduction=claims.reduction[0], mean_over=claims.mean_over[0])
    problem = problem.replace(objective=objective)
    if claims.derivative == "hessian":
        problem = _cut_for_hessian(problem)
    problem = problem if claims.targets[0] == "index" else one_hot(problem)
    return with_derivative(claims.derivative, problem)


def with_derivative(derivative: str, problem: Problem) -> Problem:
    """The problem with this derivative, and with a vector where it needs one."""
    if derivative == problem.objective.derivative:
        return problem
    if derivative == PRODUCT:
        return with_vector(problem)
    return problem.replace(objective=replace(problem.objective, derivative=derivative))


def _cut_for_hessian(problem: Problem) -> Problem:
    """As many of the first classes, then of the first rows, as a Hessian of LARGEST_HESSIAN entries has room for.

    A label beyond them becomes that of the last of them. Of labels only, which all families have.
    """
    n_classes = min(problem.n_classes, isqrt(LARGEST_HESSIAN))
    n_rows = min(problem.n_rows, LARGEST_HESSIAN // n_classes**2)
    if (n_rows, n_classes) == problem.logits.shape:
        return problem
    labels = np.minimum(problem.targets[:n_rows], n_classes - 1)
    return problem.replace(logits=problem.logits[:n_rows, :n_classes], targets=labels)
