"""Every bound that a check divides by, with its derivation and its source. Nothing here is picked or fitted.

Notation: u unit roundoff, eta smallest subnormal, n = K classes, d_j = x_j - max x, S = sum_j exp(d_j),
p_j = exp(d_j)/S, lse = max x + log S, t the coefficients of the objective (t = onehot(y) for a plain label),
A = sum_j t_j; loss = sum_j t_j (lse - x_j), gradient g_j = A p_j - t_j, per row. beta, v, gamma, and what it means that
a computed value carries k: see `rounding_counts`.

[1] N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002.
[2] P. Blanchard, D. Higham, N. Higham, Accurately computing the log-sum-exp and softmax functions,
    IMA J. Numer. Anal. 41(4), 2021, doi 10.1093/imanum/draa038.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gradlab.bounds import rounding_counts
from gradlab.bounds.bound import Bound
from gradlab.bounds.conditioning import Conditioning, conditioning, moves_alone, rows_in_range
from gradlab.bounds.moved_logits import log_probability_errors, probability_errors
from gradlab.bounds.options import RowErrors, magnification
from gradlab.bounds.rounding_counts import (
    BETA,
    QUIET,
    Sums,
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
from gradlab.bounds.row_factors import flushes, gradient_error, loss_error, loss_size
from gradlab.problems.caching import remember
from gradlab.problems.coefficients import unsmoothed_coefficients_of
from gradlab.problems.dtypes import Format
from gradlab.problems.problem import Array, Problem

_FORWARD = "forward error of the shifted algorithm"
_ANY_FORM = "forward error of any correct form on moderate logits"
_ROW_SUM = "sum over the row of the forward error of each entry"
_TWICE = "forward error of both answers"


@remember(1024)
@QUIET
def forward_gradient(problem: Problem) -> Bound:
    """The largest error of an entry of the gradient that the standard algorithm can have, shape (N, K).

    Its p_j carries k_j of `rounding_count`. With the product by the computed A, A p_j carries k_j + 1, and n more where
    A is a sum. The subtraction of t_j, the division by N (N in the format, its reciprocal, a product) carry 4 relative
    to g_j, and N + 2 more where the denominator is a sum of N weights:
        error <= gamma(k_j + n + 1 + 4) A p_j + gamma(4) |g_j|, over the denominator.
    In the complement form p_j sum_{i != j} t_i - t_j sum_{i != j} p_i, the sum of the other p_i, each of which carries
    its own k_i, takes n roundings and a product more: t_j sum_{i != j} gamma(k_i + n + 2 + 4) p_i on top. That is
    at least 2 beta (1 - p_j) t_j, by which expm1(log p_j) is off beside the k_j p_j of its argument.
    Errors delta_j of the coefficients themselves add p_j sum delta_i + delta_j.
    Underflow costs at most (beta + 1) eta in any p_j, n times that in a sum of them, eta in a product before the
    division and eta after it; one eta more because errors are held in float64.
    An extension to entries of [2, theorem 4.3], which is normwise and takes exp as correctly rounded.
    """
    k = rounding_count(problem, conditioning(problem), sum_roundings)
    return Bound(entry_errors(problem, k), _FORWARD)


@remember(1024)
@QUIET
def any_form_gradient(problem: Problem, sums: Sums = sum_roundings) -> Bound:
    """As forward_gradient, with room for the forms without a shift; only meaningful on moderate logits.

    In exp(x_j - lse) the argument is off by (2 beta + b + 1) |lse| more, its own rounding by |d_j| + log S as in the
    shifted form, in another base by b max |x| more; |lse| <= max |x| + log S [2, 3.3, 4.4]. A shift by any other c,
    the largest logit of the batch for one, is off by |x_j - c| <= 2 max |x| in e_j and as much in S, which is less.
    sums: what a sum carries, as in `rounding_count`.
    """
    c = conditioning(problem)
    base = base_roundings(problem.format)
    unshifted = (2 * BETA + base + 1) * (c.largest + c.log_sum) + base * c.largest
    return Bound(entry_errors(problem, rounding_count(problem, c, sums) + unshifted[:, None], sums), _ANY_FORM)


@remember(1024)
@QUIET
def forward_losses(problem: Problem) -> Bound:
    """The largest error of each row's own loss, shape (N,).

    lse - x_j = log S - d_j, log1p(S - 1) - d_j and -log p_j are off by k_j of `rounding_count` and by 2 beta of their
    own size; the product by t_j, the sum over the classes (n, where t is not one-hot) and a last sum carry n + 2:
        error <= sum_j t_j gamma(k_j + 2 beta + n + 2) + gamma(2 beta + n + 2) loss + sum_j delta_j (lse - x_j),
    and (beta + 1) eta in log1p, eta in each product. A log S - sum_j t_j d_j, whose terms have one sign, is within it.
    |d_j| is cut off where exp vanishes; beyond, its (b + 2) |d_j| is part of 2 beta (lse - x_j).
    """
    c = conditioning(problem)
    return Bound(_loss_error(problem, c, rounding_count(problem, c, sum_roundings)), _FORWARD)


@remember(1024)
@QUIET
def any_form_losses(problem: Problem, radius: float = 0.0, sums: Sums = sum_roundings) -> Bound:
    """As forward_losses, with room for the forms without a shift, for all logits within `radius` of these.

    lse is off by (2 beta + b + 1) |lse| more; and where t is not one-hot, both terms of A lse - sum_j t_j x_j carry
    n + 2. A row's factor may multiply each of the two.
    """
    c, terms = conditioning(problem, radius), coefficient_sum_roundings(problem)
    more = (terms + 2 if terms else 0.0) + factor_roundings(problem)
    unshifted = (2 * BETA + base_roundings(problem.format) + 1 + more) * (2 * c.largest + c.log_sum)
    return Bound(_loss_error(problem, c, rounding_count(problem, c, sums) + unshifted[:, None]), _ANY_FORM)


@QUIET
def reduced_loss(problem: Problem, rows: Bound, radius: float = 0.0, sums: Sums = sum_roundings) -> Bound:
    """The error of the loss as it is returned, from the errors of the rows' losses: shape () or (N,).

    A sum of N terms in any order carries N, the denominator (a sum of N weights) as much again, and the division,
    N in the format and a reciprocal 3 [1, section 4.2]; eta where the mean underflows, and eta as errors are held in
    float64. Finite also where `sum_overflows`.
    """
    if problem.objective.reduction == "none":
        return rows
    fmt, scale = problem.format, divisor(problem)
    total = min(float((_finite(loss_size(problem, radius), fmt) / scale).sum()), fmt.largest)
    growth = gamma(sums(problem.n_rows, fmt) + division_roundings(problem), fmt)
    error = (1 + growth) * rows.error.sum() / scale + growth * total + 2 * fmt.smallest_subnormal
    known = error if error < np.inf else np.inf  # NaN, too, says that nothing is known
    return Bound(np.asarray(known), f"{rows.source}, and the sum over the batch")


@QUIET
def sum_overflows(problem: Problem) -> bool:
    """Whether the losses have a sum beyond the largest number, so that inf is a right answer even for their mean."""
    total = loss_size(problem).sum()
    return problem.objective.reduction != "none" and bool(total > problem.format.largest)


def gradient(problem: Problem) -> Bound:
    """The bound that the mathematics is judged by: any form's on moderate logits, the shifted algorithm's elsewhere."""
    return any_form_gradient(problem) if problem.is_moderate else forward_gradient(problem)


def losses(problem: Problem) -> Bound:
    """As `gradient`, for the rows' losses, shape (N,)."""
    return any_form_losses(problem) if problem.is_moderate else forward_losses(problem)


def loss(problem: Problem) -> Bound:
    """As `gradient`, for the loss as it is returned, shape () or (N,)."""
    return reduced_loss(problem, losses(problem))


def loss_of_either(first: Problem, second: Problem) -> Array:
    """How far the losses of two problems may be apart that have the same exact loss: the sum of their errors.

    Infinite where the sum over the batch overflows, since one answer may be inf and the other not.
    """
    if sum_overflows(first) or sum_overflows(second):
        return np.asarray(np.inf)
    return both(loss(first), loss(second)).error


@QUIET
def flush_error(problem: Problem) -> float:
    """What flushing subnormals to 0 can cost loss or gradient: the smallest normal number, wherever eta counts.

    That is in each of n probabilities or terms of S, times t, in two products before the division, and after it; and
    times what logit maps, row terms and factors make of an error.
    """
    largest = float(conditioning(problem).coefficient_sum.max(initial=0.0))
    terms = flushes(problem, (problem.n_classes + 1) * largest + 2)
    cost = problem.format.smallest_normal * (terms / divisor(problem) + 1) * magnification(problem)
    return cost if rows_in_range(problem).all() else math.inf


@QUIET
def row_sums(problem: Problem, entries: Bound) -> Bound:
    """How far a row of the gradient may sum from 0: the sum of its entries' errors, shape (N,).

    The exact row sums to A (sum p_j) - A = 0, so what is left is at most the sum of the entries' errors.
    """
    return Bound(entries.error.sum(axis=1), _ROW_SUM)


@QUIET
def both(first: Bound, second: Bound) -> Bound:
    """The largest distance of two computed values whose exact values are equal: the sum of their errors."""
    source = first.source if first.source.startswith(_TWICE) else f"{_TWICE}: {first.source}"
    return Bound(first.error + second.error, source)


def accurate_ulps(problem: Problem) -> float:
    """How many ULP an entry may be off at level `accurate`: 6 beta + 3, the accurate algorithm's bound, + 1.

    beta is ACCURATE_BETA of `rounding_counts`; the 1 is the division by N. Independent of the number of classes, of
    range and margin.
    """
    return 6 * rounding_counts.ACCURATE_BETA + 4


def accurate_loss_ulps(problem: Problem) -> float:
    """As accurate_ulps, for the returned loss: N - 1 additions of non-negative losses add at most one ULP each."""
    extra = 0 if problem.objective.reduction == "none" else max(problem.n_rows - 1, 0)
    return accurate_ulps(problem) + extra


@remember(1024)
@QUIET
def rounding_count(problem: Problem, c: Conditioning, sums: Sums = sum_roundings) -> Array:
    """k_j, the roundings that every p_j and log p_j of the standard algorithms accumulates, shape (N, K).

    e_j = exp(fl(x_j - max)) carries |d_j| + 2 beta. In another base, b^fl(d_j log_b e), it carries b |d_j| more,
    and log_b S, times log b, b log S, where b = 2, see `rounding_counts.base_roundings`. In S each e_j has the weight
    p_j, and n roundings come on top; a one-pass sum rescales term j R_j times more, (2 beta + 1) each (exp(0) is 1
    exactly). So log S is off by
        s = n + 2 beta + (1/v) sum_j p_j (exp(v ((b + 1) |d_j| + (2 beta + 1) R_j)) - 1) + n (2 beta + 2) eta/v,
    of which the sum is (b + 1) sum_j p_j |d_j| <= (b + 1) log n in first order and without R; the last term is
    underflow, in terms whose sum is at least 1. The quotient e_j/S carries (b + 1) |d_j| + 2 beta + s + 1.
    log p_j = fl(d_j - log S) is off by (b + 1) |d_j| + s + (2 beta + b) log S, its own rounding by |d_j| + log S, and
    exp of it by 2 beta. Together
        k_j = s + 2 beta + (b + 2) |d_j| + (2 beta + b + 1) log S + 1.
    Where the logits are mapped first, exp(x_j - max x) carries moved_j of `conditioning` too: it is added to
    (b + 1) |d_j| in s, and to k_j. sums: what a sum carries, in place of n.
    """
    return roundings(problem.format, problem.n_classes, c, sums)


def roundings(fmt: Format, n_classes: int, c: Conditioning, sums: Sums) -> Array:
    """`rounding_count` for rows of so many classes of which this is known, in whatever groups."""
    v, base = unit(fmt), base_roundings(fmt)
    distance = np.minimum(c.distance, vanishes(fmt))
    carried = (base + 1) * distance
    carried += (2 * BETA + 1) * c.rises
    own = (base + 2) * distance
    if c.moved.ndim:  # else it is one 0
        carried, own = carried + c.moved, own + c.moved
    growth = gamma(carried, fmt)
    weighted = (c.probabilities * growth).sum(axis=1) / v  # may be infinite: of such a row gamma says nothing
    underflow = n_classes * (2 * BETA + 2) * fmt.smallest_subnormal / v
    log_sum = sums(n_classes, fmt) + 2 * BETA + weighted + underflow
    own += (log_sum + 2 * BETA + (2 * BETA + base + 1) * c.log_sum + 1)[:, None]
    return own


def entry_errors(problem: Problem, k: Array, sums: Sums = sum_roundings) -> Array:
    """The error of each entry of the gradient, (N, K), where its p_j carries k_j of `rounding_count`."""
    c, fmt = conditioning(problem), problem.format
    p, t, coefficient_sum, delta = (
        c.probabilities,
        c.coefficients,
        c.coefficient_sum[:, None],
        coefficient_errors(problem),
    )
    last, total_delta = 1 + division_roundings(problem), delta.sum(axis=1, keepdims=True)
    error = _growth(k, (1.0, coefficient_sum_roundings(problem), last), fmt)
    error *= p
    error *= coefficient_sum + total_delta
    others = _growth(k, (sums(problem.n_classes, fmt), 2.0, last), fmt)
    others *= p
    np.subtract(others.sum(axis=1, keepdims=True), others, out=others)  # no less than 0, as all of them are
    others *= t + delta if delta.any() else t
    error += others
    error += gamma(last, fmt) * _entry_sizes(c)
    if delta.any():
        error = error + total_delta * p + delta
    if moves_alone(problem):
        error = error + (coefficient_sum + total_delta) * probability_errors(problem)
    underflow = (BETA + 1) * (coefficient_sum + problem.n_classes * t) + 1
    row = gradient_error(RowErrors(problem, c, k, delta), error + underflow * fmt.smallest_subnormal)
    return np.asarray(row / divisor(problem) + 2 * fmt.smallest_subnormal)


def _growth(k: Array, more: Sequence[float], fmt: Format) -> Array:
    """gamma of k and so many roundings more, added in their order; in place, as arrays may be large."""
    total = k + more[0]
    for count in more[1:]:
        if count:
            total += count
    return gamma(total, fmt)


def _entry_sizes(c: Conditioning) -> Array:
    """|A p_j - t_j|, for every p_j that there may be within reach of the logits, (N, K)."""
    product = c.coefficient_sum[:, None] * c.probabilities
    size: Array = np.abs(product - c.coefficients)
    return size - product * np.expm1(-4 * c.reach) if c.reach.any() else size


def _loss_error(problem: Problem, c: Conditioning, k: Array) -> Array:
    fmt, delta = problem.format, coefficient_errors(problem)
    last = 2 * BETA + 2 + coefficient_sum_roundings(problem)
    each = gamma(k + last, fmt)
    if moves_alone(problem):
        each = each + log_probability_errors(problem)
    error = (each * (c.coefficients + delta)).sum(axis=1) + gamma(last, fmt) * _finite(c.losses, fmt)
    if delta.any():
        error = error + (delta * _finite(c.log_sum[:, None] + c.distance, fmt)).sum(axis=1)
    underflow = ((BETA + 1) * (1 + c.coefficient_sum) + problem.n_classes) * fmt.smallest_subnormal
    return loss_error(RowErrors(problem, c, k, delta), np.asarray(error + underflow))


@QUIET
def coefficient_errors(problem: Problem) -> Array:
    """The errors delta_j of the coefficients w_j ((1 - eps) q_j + eps/K), (N, K); one 0, (1, 1), where none is on.

    Two roundings in each part, their sum, the weight and its conversion to the format carry 6 at most. eps in the
    format, or 1 - eps (K - 1)/K in place of 1 - eps + eps/K, is off by up to 3 v eps in the part of the target. Where
    weight, eps or a product is subnormal in the format that costs eta, times what it is then multiplied by.
    """
    objective, fmt = problem.objective, problem.format
    if not objective.label_smoothing and objective.class_weights is None:
        return np.zeros((1, 1))
    weights = np.ones(problem.n_classes) if objective.class_weights is None else np.asarray(objective.class_weights)
    t = conditioning(problem).coefficients
    plain = np.where(t > 0, unsmoothed_coefficients_of(problem), 0.0)
    shares = np.maximum(problem.targets.astype(np.float64), 1.0) if objective.targets == "probability" else 1.0
    underflow = 3 * fmt.smallest_subnormal * (1 + weights) * shares * (t > 0)
    error = gamma(6.0, fmt) * t + 3 * unit(fmt) * (objective.label_smoothing * plain) + underflow
    return np.nan_to_num(error, nan=np.inf, posinf=np.inf)


def _finite(losses: Array, fmt: Format) -> Array:
    """The losses, cut off at the largest number: beyond it inf is the right answer, and no bound is needed."""
    return np.minimum(losses, fmt.largest)
