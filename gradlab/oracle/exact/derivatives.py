"""Certified enclosures of the derivatives that are asked for in place of the gradient, by ball arithmetic.

The generated programs of `reference/ball_forms`, precision doubled until every entry is narrow. The domain rules are
the gradient's: a row without a value is NaN, an ignored one 0, everything NaN where the mean divides by 0. A masked
class has probability 0, so that its row and column of a Hessian are 0; the loss is +inf once its target is above 0, and
so is its entry of the target gradient, unless its target counts for nothing (a weight of 0, or smoothing of 1).
"""

from __future__ import annotations

import math

import numpy as np
from flint import arb, ctx

from gradlab.oracle.exact.balls import double, starting_precision
from gradlab.oracle.exact.canonical import (
    ClassCoefficients,
    class_coefficients,
    gradient_share,
    is_undefined,
    row_coefficients,
    row_factors,
    row_kinds,
)
from gradlab.oracle.exact.conversion import to_enclosures
from gradlab.oracle.intervals import Array, Enclosures, constant, fill
from gradlab.oracle.ulp import is_narrow
from gradlab.problems.objective import derivative_shape
from gradlab.problems.problem import Problem
from gradlab.reference import ball_forms


def enclose_derivative(problem: Problem) -> Enclosures:
    """The derivative that the objective names, not the gradient, of the reduced loss: (N, K), or (N, K, K).

    Each entry is narrower than 2^-20 ULP of the logits' dtype. Raises ArithmeticError if that does not end.
    """
    kinds = row_kinds(problem)
    found = constant(0.0, derivative_shape(problem.objective.derivative, problem.logits.shape))
    rows = np.concatenate([kinds.regular, kinds.infinite])
    pending, precision = rows, starting_precision(problem)
    while pending.size:
        latest = _evaluate(problem, pending, precision)
        fill(found, pending, latest)
        pending = pending[~is_narrow(latest, problem.format).reshape(len(pending), -1).all(axis=1)]
        precision = double(precision) if pending.size else precision
    if problem.objective.derivative == "target_gradient":
        fill(found, problem.masked & _counting(problem) & ~problem.weightless_rows[:, None], math.inf)
    fill(found, kinds.undefined, math.nan)
    if is_undefined(problem):
        fill(found, ~problem.ignored_rows, math.nan)
    return found


def _evaluate(problem: Problem, rows: Array, precision: int) -> Enclosures:
    shape = derivative_shape(problem.objective.derivative, problem.logits.shape)
    with ctx.workprec(precision):
        share = gradient_share(problem)
        classes = class_coefficients(problem)
        entries: list[arb] = []
        for row in rows.tolist():
            own = _row_entries(problem, row, classes)
            if problem.objective.per_row_options:
                factor = row_factors(problem, row)[1]
                own = [factor * entry for entry in own]
            entries += own
        flat = to_enclosures(entries if share == 1 else [share * entry for entry in entries])
        parts = (flat.high, flat.low, flat.radius, flat.exponent)
        return Enclosures(*(part.reshape(len(rows), *shape[1:]) for part in parts))


def _row_entries(problem: Problem, row: int, classes: ClassCoefficients) -> list[arb]:
    """The entries of one row's own derivative, those of a Hessian row by row; 0 at masked classes."""
    derivative, n_classes = problem.objective.derivative, problem.n_classes
    kept = np.flatnonzero(~problem.masked[row]).tolist()
    logits = [arb(problem.logits64[row, j]) for j in kept]
    if derivative == "target_gradient":
        return _place(_by_targets(problem, kept, logits), kept, n_classes)
    coefficients = row_coefficients(problem, row, classes)
    masked = np.flatnonzero(problem.masked[row]).tolist()
    own = [coefficients[j] for j in kept]
    own[0] += sum((coefficients[j] for j in masked), arb(0))  # what a masked class has of the target counts in A
    if derivative == "hessian_vector_product" and problem.vector is not None:
        vector = [arb(float(problem.vector[row, j])) for j in kept]
        return _place(ball_forms.hessian_vector_product(logits, own, vector), kept, n_classes)
    if derivative == "hessian_diagonal":
        return _place(ball_forms.hessian_diagonal(logits, own), kept, n_classes)
    filled = [_place(entries, kept, n_classes) for entries in ball_forms.hessian(logits, own)]
    nothing = [arb(0)] * n_classes
    by_class = dict(zip(kept, filled, strict=True))
    return [entry for j in range(n_classes) for entry in by_class.get(j, nothing)]


def _by_targets(problem: Problem, kept: list[int], logits: list[arb]) -> list[arb]:
    objective = problem.objective
    weights = objective.class_weights or (1.0,) * problem.n_classes
    return ball_forms.target_gradient(logits, arb(objective.label_smoothing), [arb(weights[j]) for j in kept])


def _counting(problem: Problem) -> Array:
    """For which classes the loss depends on the target at all, shape (K,)."""
    weights = problem.objective.class_weights or (1.0,) * problem.n_classes
    return np.asarray((np.array(weights) > 0) & (problem.objective.label_smoothing < 1))


def _place(entries: list[arb], kept: list[int], n_classes: int) -> list[arb]:
    """The entries of the kept classes among all of them, 0 elsewhere."""
    if len(kept) == n_classes:
        return entries
    found = [arb(0)] * n_classes
    for j, entry in zip(kept, entries, strict=True):
        found[j] = entry
    return found
