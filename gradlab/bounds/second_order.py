"""The bounds for what may be asked for in place of the gradient: second derivatives, and the one by the targets.

Notation as in `first_order`: p_j carries k_j of its `rounding_count`, n is what a sum of K terms carries, A the sum of
the coefficients, delta_j their errors, Delta their sum. A row's Hessian is H_ij = A p_i (delta_ij - p_j), its product
with v is A p_i (v_i - s), s = sum_j p_j v_j; and dloss/dt_j = c_j (lse - x_j), with c_j = w_j (1 - eps).

1 - p_i loses digits where p_i is near 1, v_i - s where v_i is near the mean. So a bound is relative to the sizes before
a subtraction, p_i |v_i| and p_i sum_j p_j |v_j|, not after it. Something may be taken off every v_j first, which
changes no product: so |v_j| counts for at least the width of the row, max v - min v.

A sample weight f multiplies a row, as in `row_factors`: its conversion and its product, wherever that stands, carry 2
more, relative to the sizes of the entry. Where the row's f is subnormal, or a product with it, `underflow_cost` has it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.bound import Bound
from gradlab.bounds.conditioning import Conditioning, conditioning
from gradlab.bounds.rounding_counts import (
    BETA,
    QUIET,
    base_roundings,
    coefficient_sum_roundings,
    division_roundings,
    divisor,
    factor_roundings,
    gamma,
    sum_roundings,
    unit,
    vanishes,
)
from gradlab.bounds.row_factors import times, where_known
from gradlab.problems.coefficients import denominator_of, gradient_factors
from gradlab.problems.problem import PRODUCT, Array, Problem

_PRODUCT = "forward error of A p_i (v_i - p.v) and its other forms"
_DIAGONAL = "forward error of A p_i (1 - p_i) and its other forms"
_HESSIAN = "forward error of A p_i (delta_ij - p_j) and its other forms"
_BY_TARGETS = "forward error of lse - x_j times its weight"


def derivative(problem: Problem) -> Bound:
    """The largest error of an entry of the derivative that the objective names, in its shape; and its source."""
    name = problem.objective.derivative
    return first_order.gradient(problem) if name == "gradient" else _BOUNDS[name](problem)


@lru_cache(maxsize=1024)
@QUIET
def product(problem: Problem) -> Bound:
    """The largest error of an entry of the product with the problem's vector, shape (N, K).

    s = sum_j p_j v_j is off by sum_j gamma(k_j + n + 1) p_j |v_j|; then p_i carries k_i, and the products, the
    subtraction and the division, early or late, at most c = 6 + 2 beta + coefficient_sum_roundings +
    division_roundings. So with g_i = gamma(k_i + 2 n + c)

        error <= A p_i (g_i (|v_i| + sum_j p_j |v_j|) + (1 + g_i) sum_j gamma(k_j) p_j (|v_i| + |v_j|)),

    since gamma(a + b) = gamma(a) + gamma(b) + gamma(a) gamma(b). It holds for p_i v_i - p_i s as well, whose products
    are rounded before the subtraction; for sum_j p_i p_j (v_i - v_j), and for the product with a Hessian that was
    computed before, by any of the forms of `hessian`, in which 1 - p_i may be a sum (n) and the product one more (n).
    Delta p_i (|v_i| + sum_j p_j |v_j|) more for the errors of the coefficients; what underflows: `underflow_cost`. A
    value between two of the v_j that is taken off them all leaves no more than the width w, rounded once more; so
    |v_j| is max(|v_j|, w). Infinite unless the product `stays_in_range`.
    """
    parts, v = parts_of(problem), _vector_magnitude(problem)
    largest = parts.coefficient_sum * parts.p * (v + (parts.p * v).sum(axis=1, keepdims=True))
    bound = _returned_error(problem, _product_error(parts, v), largest)
    return Bound(np.where(stays_in_range(problem), bound, np.inf), _PRODUCT)


@lru_cache(maxsize=1024)
@QUIET
def diagonal(problem: Problem) -> Bound:
    """The same of the Hessian's diagonal, shape (N, K): entry i of the product with the unit vector of class i.

    p_i - p_i^2 is off by p_i theta (1 - 2 p_i - p_i theta) for p_i off by p_i theta, and by a rounding each;
    p_i (1 - p_i) by no more; p_i times the sum of the other p_j by what the terms of j carry; -p_i expm1(log p_i) by
    2 beta p_i (1 - p_i) more, which is part of c.

    On moderate logits A (1/4 - (p_i - 1/2)^2) counts too, whose errors go with 1/4: that of p_i - 1/2 is worth at most
    u/2 of its square, the square and the difference are rounded by u/4 each; gamma(4) A/4 in all.
    """
    parts = parts_of(problem)
    sizes = parts.coefficient_sum * parts.p * (1 + parts.p)
    return Bound(_returned_error(problem, _diagonal_error(parts), sizes), _DIAGONAL)


@lru_cache(maxsize=256)
@QUIET
def hessian(problem: Problem) -> Bound:
    """The same of the whole Hessian, shape (N, K, K).

    Off the diagonal it is -A p_i p_j, which carries k_i + k_j + c, also as exp(log p_i + log p_j): the rounding of that
    sum, |log p_i| + |log p_j|, is part of the k_i here; in double differentiation the entries of column j are the
    product with its unit vector.
    """
    parts = parts_of(problem)
    p, g = parts.p[:, :, None], parts.g[:, :, None]  # of class i; those of class j along the last axis
    coefficient_sum, total_delta = parts.coefficient_sum[..., None], parts.total_delta[..., None]
    error = coefficient_sum * p * (g * parts.p[:, None] + (1 + g) * (parts.gamma_k * parts.p)[:, None])
    error = error + total_delta * p * parts.p[:, None]
    classes = np.arange(problem.n_classes)
    error[:, classes, classes] = _diagonal_error(parts)
    sizes = coefficient_sum * p * (parts.p[:, None] + np.eye(problem.n_classes))
    return Bound(_returned_error(problem, error, sizes), _HESSIAN)


@lru_cache(maxsize=1024)
@QUIET
def target_gradient(problem: Problem) -> Bound:
    """The same of the derivative by the targets, shape (N, K).

    lse - x_j is off as in `first_order.forward_losses`, by k_j absolutely and 2 beta of its own size; the weight, the
    product with it and the division carry 4 + division_roundings, and 1 - eps what a coefficient is off:
        error <= c_j (gamma(k_j + 2 beta + c) + gamma(2 beta + c) (lse - x_j)) + delta_j (lse - x_j).
    Infinite where lse - x_j, times the weight or over the denominator, comes near the largest number: it may overflow
    on the way. It is infinite itself at a masked class, where the answer must be so too.
    """
    fmt, c = problem.format, conditioning(problem)
    c_j, delta = _target_coefficients(problem)
    size = _distance_to_lse(problem)
    last = 2 * BETA + 4 + division_roundings(problem)
    error = (c_j + delta) * (
        gamma(_rounding_count(problem, c, 2.0) + last, fmt) + gamma(last, fmt) * size
    ) + delta * size
    with np.errstate(over="ignore"):
        on_the_way = size * max(1.0, 1 / divisor(problem)) * np.maximum(c_j, 1.0) * np.maximum(_factors(problem), 1.0)
    bound = _returned_error(problem, error, c_j * size)
    return Bound(np.where((on_the_way > fmt.largest / 4) & ~problem.masked, np.inf, bound), _BY_TARGETS)


@QUIET
def flush_error(problem: Problem) -> Array | float:
    """What flushing subnormals to 0 can cost an entry: the smallest normal number wherever eta counts."""
    if problem.objective.is_first_order:
        return first_order.flush_error(problem)
    fmt = problem.format
    cost = fmt.smallest_normal / fmt.smallest_subnormal * underflow_cost(problem)
    return cost[..., None] if problem.objective.derivative == "hessian" else cost


@QUIET
def stays_in_range(problem: Problem) -> bool:
    """Whether no sound product with the vector overflows on the way: A v, v_i - s and v over the denominator."""
    if problem.vector is None or not problem.vector.size:
        return True
    coefficient_sum = float(conditioning(problem).coefficient_sum.max(initial=0.0)) + 1
    factor = max(1.0, float(_factors(problem).max(initial=0.0)))
    scale = 4 * coefficient_sum * factor * max(1.0, 1 / (denominator_of(problem) or 1.0))
    return bool(np.abs(problem.vector.astype(np.float64)).max() < problem.format.largest / scale)


def _factors(problem: Problem) -> Array:
    """What each row is multiplied by, (N, 1); it is at least 0."""
    return gradient_factors(problem)[:, None]


def _returned_error(problem: Problem, error: Array, sizes: Array) -> Array:
    """The errors of a derivative that is multiplied by the rows' factors and divided; sizes: of its parts."""
    factors, underflow = _factors(problem), underflow_cost(problem)
    if error.ndim == 3:
        factors, underflow = factors[..., None], underflow[..., None]
    growth = gamma(factor_roundings(problem), problem.format)
    grown = error + growth * sizes + growth * error if growth > 0 else error  # sizes may be infinite at masked classes
    return where_known(problem, times(factors, grown) / divisor(problem) + underflow)


class Parts(NamedTuple):
    """p, g and gamma(k), (N, K); A and Delta, (N, 1); what a diagonal made from 1/4 loses of 1/4."""

    p: Array
    g: Array
    gamma_k: Array
    coefficient_sum: Array
    total_delta: Array
    quarter: float


@lru_cache(maxsize=256)
@QUIET
def parts_of(problem: Problem) -> Parts:
    """What the bounds of the second derivatives are made of; remembered, as a bound and what underflows both ask."""
    c, fmt = conditioning(problem), problem.format
    k = _rounding_count(problem, c, 1.0)
    k = k + np.minimum(c.distance, vanishes(fmt)) + c.log_sum[:, None]
    last = 6 + 2 * BETA + coefficient_sum_roundings(problem) + division_roundings(problem)
    g = gamma(k + 2 * sum_roundings(problem.n_classes, fmt) + last, fmt)
    total_delta = first_order.coefficient_errors(problem).sum(axis=1, keepdims=True)
    quarter = float(gamma(4.0, fmt)) / 4 if problem.is_moderate else 0.0
    return Parts(c.probabilities, g, gamma(k, fmt), c.coefficient_sum[:, None] + total_delta, total_delta, quarter)


def _rounding_count(problem: Problem, c: Conditioning, times: float) -> Array:
    """k_j, on moderate logits with room for the forms without a shift; |lse| counts `times` max |x|.

    As in `first_order.any_form_gradient` (once) and `first_order.any_form_losses` (twice).
    """
    own = first_order.rounding_count(problem, c, sum_roundings)
    if not problem.is_moderate:
        return own
    base = base_roundings(problem.format)
    unshifted = (2 * BETA + base + 1) * (times * c.largest + c.log_sum) + base * c.largest
    return np.asarray(own + unshifted[:, None])


def _product_error(parts: Parts, v: Array) -> Array:
    """The formula of `product`, but for what underflows; v: the sizes |v_j|."""
    p_error = parts.gamma_k * parts.p
    size = v + (parts.p * v).sum(axis=1, keepdims=True)
    others = v * p_error.sum(axis=1, keepdims=True) + (p_error * v).sum(axis=1, keepdims=True)
    entry = parts.coefficient_sum * (parts.g * size + (1 + parts.g) * others) + parts.total_delta * size
    return np.asarray(parts.p * entry)


def _diagonal_error(parts: Parts) -> Array:
    """The same of `diagonal`: v is the unit vector of the entry's class."""
    p_error = parts.gamma_k * parts.p
    others = p_error.sum(axis=1, keepdims=True) + p_error
    entry = parts.coefficient_sum * (parts.g * (1 + parts.p) + (1 + parts.g) * others) + parts.total_delta * (
        1 + parts.p
    )
    return np.asarray(parts.p * entry + parts.coefficient_sum * parts.quarter)


def _vector_magnitude(problem: Problem) -> Array:
    """max(|v_j|, width of v) of the problem's vector; or 1, as of unit vectors, whose products are entries of H."""
    if problem.vector is None or not problem.vector.size:
        return np.ones((1, 1))
    v = problem.vector.astype(np.float64)
    with np.errstate(over="ignore"):
        return np.asarray(np.maximum(np.abs(v), np.ptp(v, axis=1, keepdims=True)))


def _target_coefficients(problem: Problem) -> tuple[Array, Array]:
    """c_j and delta_j, (K,), as `first_order.coefficient_errors` has them for a target of 1."""
    objective, fmt = problem.objective, problem.format
    weights = np.ones(problem.n_classes) if objective.class_weights is None else np.asarray(objective.class_weights)
    c_j, smoothing = weights * (1 - objective.label_smoothing), objective.label_smoothing
    delta = np.zeros(problem.n_classes)
    if smoothing > 0 or objective.class_weights is not None:
        delta = gamma(6.0, fmt) * c_j + 3 * unit(fmt) * smoothing * weights + 3 * fmt.smallest_subnormal
    return c_j, delta


def _distance_to_lse(problem: Problem) -> Array:
    """lse - x_j, (N, K), cut off at the largest number."""
    c = conditioning(problem)
    return np.asarray(np.minimum(c.log_sum[:, None] + c.distance, problem.format.largest))


@QUIET
def underflow_cost(problem: Problem) -> Array:
    """What underflow can cost an entry, (N, 1) or (N, K).

    Second derivatives, with V = max |v|: (beta + 1) eta in any p_j and eta in each product, times A and V, in each of K
    terms and in p_i; some products come before A or v do. A p_i over the denominator comes before the factor v_i - s,
    2 V at most, or v over it before A. One eta for the last operation, and one as errors are held in float64.
    The derivative by targets: (beta + 1) eta in log1p, eta in a product; c_j over the denominator before lse - x_j.
    """
    eta = problem.format.smallest_subnormal
    if problem.objective.derivative == "target_gradient":
        c_j, size = _target_coefficients(problem)[0], _distance_to_lse(problem)
        return _with_factors(problem, eta * (((BETA + 1) * c_j + 2) / divisor(problem) + 2) + 2 * eta * size, size)
    coefficient_sum, largest = (
        parts_of(problem).coefficient_sum + 1,
        _vector_magnitude(problem).max(axis=1, keepdims=True, initial=0.0) + 1,
    )
    before = (BETA + 2) * (problem.n_classes + 3) * coefficient_sum * largest
    underflow = eta * (before / divisor(problem) + 2 * coefficient_sum * largest + 2)
    return _with_factors(problem, underflow, coefficient_sum * largest)


def _with_factors(problem: Problem, underflow: Array, sizes: Array) -> Array:
    """The same where rows are multiplied by a factor.

    What comes before it grows with it. It may be subnormal itself, over the denominator or not, and so may each of the
    products that it goes into, one for each class and three more at most.
    """
    if not problem.objective.per_row_options:
        return underflow
    factors, eta = _factors(problem), problem.format.smallest_subnormal
    own = eta * (problem.n_classes + 3 + 2 * sizes) * max(1.0, 1 / divisor(problem))
    return np.asarray(np.where(factors > 0, np.maximum(factors, 1.0) * underflow + own, underflow))


_BOUNDS = {"hessian": hessian, "hessian_diagonal": diagonal, PRODUCT: product, "target_gradient": target_gradient}
