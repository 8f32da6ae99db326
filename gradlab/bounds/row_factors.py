"""What the factors of rows (sample weights, an upstream gradient) add to the bounds of `first_order`.

A row's loss and gradient, their terms included, are multiplied by a factor f each, so that their errors are too. Each
of the options that f comes from is converted to the format and multiplied in: at the end, into the coefficients and
the terms, or into the reciprocal of the denominator. That carries 2 for each, relative to every part of the row:
gamma(2) f (A p_j + t_j + |terms|), and gamma(2) f loss. Where a product is subnormal it costs eta: in each t_j, of
which n count with p_j; in loss, entry or term; and where f itself is subnormal, eta times the size of the row.
Where it is f over D that is subnormal, as much is lost after the division: D times that before it, for D above 1.
"""

from __future__ import annotations

import numpy as np

from gradlab.bounds import options
from gradlab.bounds.conditioning import rows_in_range
from gradlab.bounds.options import RowErrors
from gradlab.bounds.rounding_counts import divisor, factor_roundings, gamma
from gradlab.problems.coefficients import gradient_factors, loss_factors
from gradlab.problems.problem import Array, Problem


def loss_error(state: RowErrors, own: Array) -> Array:
    """The error of each row's loss, shape (N,), from that of sum_j t_j (lse - x_j); terms and factors included."""
    error = options.loss_error_with_terms(state, own)
    if state.problem.objective.per_row_options:
        size = options.computed_loss_size(state)
        error = _times_factor(state.problem, loss_factors(state.problem), error, size)
    return where_known(state.problem, error)


def gradient_error(state: RowErrors, own: Array) -> Array:
    """The error of each row's gradient, (N, K), from that of A p_j - t_j; terms and factors included, not divided."""
    error = options.gradient_error_with_terms(state, own)
    if state.problem.objective.per_row_options:
        size = options.computed_entry_size(state)
        error = _times_factor(state.problem, gradient_factors(state.problem)[:, None], error, size)
    return where_known(state.problem, error)


def where_known(problem: Problem, error: Array) -> Array:
    """The errors, infinite in rows of which no bound says anything: see `conditioning.rows_in_range`."""
    known = rows_in_range(problem)
    return error if known.all() else np.where(known.reshape(-1, *[1] * (error.ndim - 1)), error, np.inf)


def loss_size(problem: Problem, radius: float = 0.0) -> Array:
    """How large the rows' losses can be, their terms and factors included, shape (N,)."""
    size = options.exact_loss_size(problem, radius)
    return times(loss_factors(problem), size) if problem.objective.per_row_options else size


def flushes(problem: Problem, count: float) -> float:
    """How often a subnormal number may be flushed to 0, from how often without factors: n + 3 products more."""
    if not problem.objective.per_row_options:
        return count
    largest = max(float(np.abs(of(problem)).max(initial=0.0)) for of in (loss_factors, gradient_factors))
    return count * max(largest, 1.0) + problem.n_classes + 3


def _times_factor(problem: Problem, factor: Array, error: Array, size: Array) -> Array:
    """The errors of rows that are multiplied by a factor; error: without it; size: that of their parts."""
    grown = times(np.abs(factor), error + gamma(factor_roundings(problem), problem.format) * size)
    return np.asarray(grown + _underflow(problem, factor, size))


def _underflow(problem: Problem, factor: Array, size: Array) -> Array:
    count = np.where(factor != 0, problem.n_classes + 3 + 2 * size, 0.0)
    return np.asarray(count * problem.format.smallest_subnormal * max(1.0, divisor(problem)))


def times(factor: Array, values: Array) -> Array:
    """The product, 0 where the factor is, whatever the value."""
    with np.errstate(invalid="ignore"):
        return np.where(factor > 0, factor * values, 0.0)
