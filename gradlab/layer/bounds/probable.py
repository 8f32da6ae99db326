"""The probable bounds of the layer: with independent rounding errors, sound code goes beyond them once in 2^40 runs.

A rounding error is taken to be independent of the others, zero on average and at most u. Then a sum of errors
sum_r c_r delta_r, the c_r being given, is beyond lambda u sqrt(sum_r c_r^2) with a probability of 2 exp(-lambda^2/2) at
most (Hoeffding; without independence, for martingales, Azuma). lambda is such that TERMS of these leave FAILURE in a
whole run. What is not like that is added up as if it had one sign: errors of exp and log, of constants, of the division
by N, of operands that are rounded, and all that is left of `first_order` but the sums. In
sums over rows, exp and log may be off by BIAS ULP in that way, the mean of a library's errors, and by what is left of
BETA at random; in dX, within a row, by BETA.

1. The logit z_ij is off by independent errors of the size s_ij = u sqrt(D + 1) (|X| |W| + |b|)_ij, since no partial
   sum is larger than the sum of sizes [1]. With first-order changes p_j (eps_j - sum_k p_k eps_k) of the softmax, an
   entry of G is off by the size A p_j sqrt((1 - p_j)^2 s_j^2 + sum_{k != j} p_k^2 s_k^2), independently in each row: dW
   by the root of the sum of their squares, weighted by x^2. In dX, a sum within the row, eps_k has the weight
   A p_k (w_dk - sum_j p_j w_dj).
   What is not of first order is at most 3 p_j (1 - p_j) e^2 exp(4 e) with e = max_j lambda s_j: the second derivative
   of p_j along eps is p_j ((eps_j - m)^2 - var eps), m and var being the mean and the variance under p, and neither
   part is more than 5 (1 - p_j) e^2. It is added up with one sign.
2. The sum over the classes in the softmax, n = K terms of one sign: sqrt(K) u, once for each row [1].
3. The sums of dX, over the classes: sqrt(K) u |G| |W|^T [1], |G| being A p + t, as G may be summed in two parts.
4. The sums of dW and db over the rows: what `walks` finds of their partial sums, which in most orders are far below
   |X|^T |G|.

Where terms are equal, errors repeat: the bounds are asked for where features and weights differ, `has_random_errors`.

[1] N. Higham, T. Mary, SIAM J. Sci. Comput. 41(5), 2019, doi 10.1137/18M1226312; I. Ipsen, H. Zhou, SIAM J. Matrix
    Anal. Appl. 41(4), 2020, doi 10.1137/19M1270434.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.bound import Bound
from gradlab.bounds.conditioning import conditioning, moves_alone, softmax_parts
from gradlab.bounds.moved_logits import probability_errors
from gradlab.bounds.probable import FAILURE, differ
from gradlab.bounds.rounding_counts import BETA, QUIET, base_roundings, divisor, gamma
from gradlab.layer.bounds.arithmetic import arithmetic
from gradlab.layer.bounds.computed import Sizes, computed_problem, entry_sizes
from gradlab.layer.bounds.outputs import (
    Gradient,
    LayerBounds,
    Triple,
    gradient_bounds,
    loss_bound,
    penalty_sizes,
    sum_sizes,
)
from gradlab.layer.bounds.proved import proved_bounds
from gradlab.layer.bounds.walks import Walks, partial_sums
from gradlab.layer.problem import LayerProblem
from gradlab.problems.caching import remember
from gradlab.problems.coefficients import gradient_factors
from gradlab.problems.dtypes import Format
from gradlab.problems.problem import Array, Problem

TERMS = 2.0**36  # sums of rounding errors in a whole run
LAMBDA = math.sqrt(2 * math.log(2 * TERMS / FAILURE))
BIAS = 0.5  # ULP; of NumPy's exp and log in float32 the mean error is below 0.07, the largest 3.1 (2 10^6 arguments)
_MORE = 4.0  # roundings of an entry beside those of its inner product
_SOURCE = "probable: sound code is not likely to be this far off, 2^-40 in a whole run"


def has_random_errors(problem: LayerProblem) -> bool:
    """Whether the bounds are for this problem: its numbers differ, and are not out of the ordinary.

    No option of one number, whose errors are all added up with one sign; finite numbers of which few are equal in a
    column; logits of moderate size, which are known to better than 1/16.
    """
    if problem.objective.real_options or not problem.is_finite or not problem.n_rows:
        return False
    arrays = ((problem.features64, 0), (problem.weight64, 1))
    if not all(values.shape[axis] < 2 or differ(values, axis) for values, axis in arrays):
        return False
    rows = _Rows(Sizes(problem, arithmetic(problem.format)))
    return rows.likely.is_moderate and bool(rows.farthest.max() < 1 / 16)


@remember(256)
@QUIET
def probable_bounds(problem: LayerProblem, accumulates_in: str | None = None) -> LayerBounds:
    """How far sound code is likely to be off in each output, and never more than is proved."""
    sums = arithmetic(problem.format, accumulates_in)
    sizes = Sizes(problem, sums)
    rows = _Rows(sizes)
    aligned = sum_sizes(sizes, rows.aligned(BIAS))._replace(dX=sum_sizes(sizes, rows.aligned(BETA)).dX)
    sizes_of_terms = sum_sizes(sizes, rows.sizes)
    walks = partial_sums(sizes, rows.likely, LAMBDA)
    random, repeated = _random_errors(rows, walks), sums.sums.unit_roundoff * walks.repeated
    aligned = Triple(aligned.dX, aligned.dW + repeated[:-1], aligned.db + repeated[-1])
    n_terms = (problem.n_classes, problem.n_rows, problem.n_rows)
    errors = []
    for one, own, part, count, added in zip(
        aligned, random, sizes_of_terms, n_terms, penalty_sizes(sizes), strict=True
    ):
        few = gamma(_MORE + 2 * sums.is_wider + 2 * sums.operand / sums.fmt.unit_roundoff, sums.fmt)
        second = count * sums.sums.unit_roundoff**2 * 2
        errors.append(one + LAMBDA * own + (few + second) * (part + one + added))
    found = gradient_bounds(sizes, Gradient(rows.likely, rows.sizes, ~sizes.in_range), Triple(*errors))
    n_squares = problem.weight.size + problem.n_classes
    losses = first_order.any_form_losses(rows.likely, sums=probable_roundings)
    data = first_order.reduced_loss(rows.likely, losses, sums=probable_roundings).error
    loss = loss_bound(sizes, rows.likely, data, _likely_roundings(sizes, n_squares))
    proved = proved_bounds(problem, accumulates_in)
    smaller = (np.minimum(one, other.error) for one, other in zip((loss, *found), proved, strict=True))
    return LayerBounds(*(Bound(np.asarray(one), _SOURCE) for one in smaller))


def probable_roundings(count: int, fmt: Format) -> float:
    """What a sum of `count` terms carries but for FAILURE in a run, in units of the format; as in `arithmetic`."""
    sums = arithmetic(fmt)
    own = LAMBDA * math.sqrt(count) * sums.sums.unit_roundoff + 2 * count * sums.sums.unit_roundoff**2
    return min(sums.roundings(count), own / fmt.unit_roundoff + sums.is_wider)


def _no_roundings(count: int, fmt: Format) -> float:
    """What a sum carries beside its random errors: a last rounding where it is taken in a wider dtype."""
    del count
    return 1.0 if fmt.precision < 24 else 0.0


def _aligned_roundings(rows: Problem, beta: float) -> Array:
    """What each p_j carries in any correct form beside the errors of sums and of logits; exp and log are off by beta.

    `first_order.any_form_gradient` with beta in place of BETA: see `_function_roundings`.
    """
    c = conditioning(rows)
    base = base_roundings(rows.format)
    unshifted = (2 * BETA + base + 1) * (c.largest + c.log_sum) + base * c.largest
    k = first_order.rounding_count(rows, c, _no_roundings) + unshifted[:, None]
    return np.asarray(k - _function_roundings(rows, BETA - beta))


def _function_roundings(rows: Problem, beta: float) -> Array:
    """What exp and log that are off by beta contribute: in e_j, in S, and with log S and with lse, (N, 1)."""
    c = conditioning(rows)
    return np.asarray((2 * beta * (2 + c.log_sum + c.largest + c.log_sum))[:, None])


def _likely_roundings(sizes: Sizes, n_terms: int) -> float:
    """What an inner product is likely to carry at most, in units of the format."""
    sums = sizes.arithmetic
    own = LAMBDA * math.sqrt(n_terms) * sums.sums.unit_roundoff + 2 * n_terms * sums.sums.unit_roundoff**2
    return (own + 2 * sums.operand) / sums.fmt.unit_roundoff + 2 * sums.is_wider


@dataclass(frozen=True, eq=False)
class _Rows:
    """What is known of the gradient by the logits, row by row; 0 in rows that are not in range."""

    of: Sizes

    @cached_property
    def likely(self) -> Problem:
        """The problem at the logits, as far off as these are likely to be."""
        return computed_problem(self.of, _likely_roundings(self.of, self.of.problem.n_features + 1))

    @cached_property
    def farthest(self) -> Array:
        """How far the logits of each row are likely to be off at most, (N, 1)."""
        assert self.likely.computed is not None
        return np.asarray(self.likely.computed.errors.max(axis=1, keepdims=True))

    @cached_property
    def factors(self) -> Array:
        """What each row's A p_j is multiplied by in the reduced gradient, (N, 1)."""
        own = conditioning(self.likely).coefficient_sum * np.abs(gradient_factors(self.likely))
        return np.asarray(own[:, None] / divisor(self.likely))

    @cached_property
    def sizes(self) -> Array:
        return np.where(self.of.in_range[:, None], entry_sizes(self.likely), 0.0)

    @cached_property
    def logit_sizes(self) -> Array:
        """s_ij of the module's docstring, the roundings to a narrower dtype included; 0 where not known alone."""
        sums = self.of.arithmetic
        if not moves_alone(self.likely):
            return np.zeros(self.of.products.shape)
        variance = (self.of.problem.n_features + 1) * sums.sums.unit_roundoff**2
        variance += 2 * sums.is_wider * sums.fmt.unit_roundoff**2
        own = np.where(self.of.in_range[:, None] & ~self.likely.masked, self.of.products, 0.0)
        return np.asarray(math.sqrt(variance) * own)

    def aligned(self, beta: float) -> Array:
        """The errors of an entry that may have one sign in all that is added, (N, K); exp and log are off by beta."""
        total = first_order.entry_errors(self.likely, _aligned_roundings(self.likely, beta), _no_roundings)
        p, others = softmax_parts(self.likely)
        moved = self.factors * probability_errors(self.likely)
        operands = self.of.arithmetic.operand / self.of.arithmetic.fmt.unit_roundoff
        fixed = computed_problem(self.of, 2 * operands)
        second = 3 * p * others * self.farthest**2 * np.exp(4 * self.farthest)
        own = np.maximum(total - moved, 0.0) + self.factors * (probability_errors(fixed) + second)
        return np.where(self.of.in_range[:, None], own if moves_alone(self.likely) else total, 0.0)


@QUIET
def _random_errors(rows: _Rows, walks: Walks) -> Triple:
    """The sizes of the random errors of dX, dW and db, of which LAMBDA times is likely to be the most."""
    problem, unit = rows.of.problem, rows.of.arithmetic.sums.unit_roundoff
    over_classes = 2 * problem.n_classes * unit**2  # the softmax's sum and that of dX
    sizes = sum_sizes(rows.of, rows.sizes)
    dX = np.sqrt(_variance_in_rows(rows) + over_classes * sizes.dX**2)
    variance = _variance_of_entries(rows) + over_classes / 2 * rows.sizes**2
    p, _ = softmax_parts(rows.likely)
    of_functions = _function_roundings(rows.likely, BETA - BIAS) * rows.of.arithmetic.fmt.unit_roundoff
    variance += np.where(rows.of.in_range[:, None], of_functions * rows.factors * p, 0.0) ** 2
    squares = np.concatenate([problem.features64, np.ones((problem.n_rows, 1))], axis=1).T ** 2
    both = np.sqrt(squares @ variance + (unit * walks.random) ** 2)
    return Triple(dX, both[:-1], both[-1])


def _variance_of_entries(rows: _Rows) -> Array:
    """The squared sizes of what the logits' errors make of the entries of G, each for itself, (N, K)."""
    p, others = softmax_parts(rows.likely)
    s = rows.logit_sizes
    own = p**2 * s**2
    total = np.maximum(own.sum(axis=1, keepdims=True) - own, 0.0)
    return np.asarray((rows.factors * p) ** 2 * (others**2 * s**2 + total))


def _variance_in_rows(rows: _Rows) -> Array:
    """The squared sizes of what the logits' errors make of dX, (N, D)."""
    p, _ = softmax_parts(rows.likely)
    weight = rows.of.problem.weight64.T
    own = (rows.factors * p * rows.logit_sizes) ** 2
    mean, total = p @ weight, own.sum(axis=1, keepdims=True)
    square = own @ weight**2
    variance = square - 2 * mean * (own @ weight) + mean**2 * total
    return np.asarray(np.maximum(variance, 0.0) + 2.0**-40 * (square + mean**2 * total))
