"""What the proved and the probable bounds of the layer have in common: how they are put together, and the penalty.

An inner product of n terms may lose eta in each, and as much in four operations more. The penalty's slope times a
weight carries 4: the strength in the format, twice it, a product, and the sum; its sum of n squares 6 more than an
inner product, and what is added to it two. An entry that may be beyond a quarter of the largest number, before or after
the division, has no bound, nor have rows that may overflow; with such a row none of dW and db has.
Bounds are computed in float64, which loses less than 2^-20 of one: they are multiplied by 1 + 2^-20.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradlab.bounds.bound import Bound
from gradlab.bounds.rounding_counts import QUIET, divisor, gamma
from gradlab.bounds.row_factors import loss_size
from gradlab.layer.bounds.computed import Sizes
from gradlab.problems.problem import Array, Problem
from gradlab.reference import layer_forms

_SLACK = 1 + 2.0**-20
_PENALTY_ROUNDINGS = 4.0
_SQUARES_ROUNDINGS = 6.0
_MORE = 3.0  # roundings of an entry beside those of its inner product


class LayerBounds(NamedTuple):
    """A bound for each of `problem.OUTPUTS`, of its shape; db is there also where there is no bias."""

    loss: Bound
    dX: Bound
    dW: Bound
    db: Bound

    def output(self, name: str) -> Bound:
        """The bound of one of OUTPUTS."""
        return {"loss": self.loss, "dX": self.dX, "dW": self.dW, "db": self.db}[name]


class Triple(NamedTuple):
    """Numbers of the shapes of dX (N, D), dW (D, K) and db (K,): errors, or sizes."""

    dX: Array
    dW: Array
    db: Array


class Gradient(NamedTuple):
    """What is known of the gradient by the logits: the sizes of its entries' parts, (N, K), 0 in rows that are unknown.

    rows: the problem at the logits. unknown: rows of which nothing is known, (N,).
    """

    rows: Problem
    sizes: Array
    unknown: Array


def penalty_sizes(sizes: Sizes) -> Triple:
    """The sizes of what the penalty adds to each derivative."""
    problem = sizes.problem
    slope = problem.penalty.slope
    bias = np.where(np.isinf(problem.bias64), 0.0, np.abs(problem.bias64))
    on_bias = slope * problem.penalty.takes_bias * bias
    return Triple(np.zeros(problem.features.shape), slope * np.abs(problem.weight64), on_bias)


@QUIET
def sum_sizes(sizes: Sizes, entries: Array) -> Triple:
    """|E| |W|^T, |X|^T |E| and the sum over the rows, for entries E (N, K) that are at least 0."""
    features, weight = np.abs(sizes.problem.features64), np.abs(sizes.problem.weight64)
    return Triple(
        layer_forms.by_features(weight, entries),
        layer_forms.by_weight(features, weight, entries, 0.0),
        layer_forms.by_bias(np.zeros(entries.shape[1]), entries, 0.0),
    )


@QUIET
def bounds_of_sums(sizes: Sizes, rows: Problem, error: Array, size: Array) -> Triple:
    """The bounds of dX, dW and db for any order of summation, from E and S of the gradient by the logits, (N, K).

    Nothing is known of rows that are not in range, or whose E is not finite.
    """
    problem, sums = sizes.problem, sizes.arithmetic
    known = (sizes.in_range & np.isfinite(error).all(axis=1))[:, None]
    error, size = np.where(known, error, 0.0), np.where(known, size, 0.0)
    through, parts, penalty = sum_sizes(sizes, error), sum_sizes(sizes, size + error), penalty_sizes(sizes)
    n_terms = (problem.n_classes, problem.n_rows, problem.n_rows)
    errors = [
        moved + gamma(sums.roundings(count) + _MORE + sums.is_wider, sums.fmt) * (part + own)
        for moved, part, own, count in zip(through, parts, penalty, n_terms, strict=True)
    ]
    return gradient_bounds(sizes, Gradient(rows, size, ~known[:, 0]), Triple(*errors))


@QUIET
def gradient_bounds(sizes: Sizes, gradient: Gradient, errors: Triple) -> Triple:
    """The bounds of dX, dW and db from the errors of the sums; the penalty's, underflow and overflow are added."""
    problem, sums = sizes.problem, sizes.arithmetic
    penalty, largest = penalty_sizes(sizes), sum_sizes(sizes, gradient.sizes)
    n_terms = (problem.n_classes, problem.n_rows, problem.n_rows)
    bounds = []
    for error, own, size, count in zip(errors, penalty, largest, n_terms, strict=True):
        more = gamma(_PENALTY_ROUNDINGS, sums.fmt) * own + sums.smallest * (count + 4 + problem.penalty.is_on * 2)
        fits = size * max(1.0, divisor(gradient.rows)) + own < sums.largest / 4
        bounds.append(np.where(fits, (error + more) * _SLACK, np.inf))
    lost = gradient.unknown
    bounds[0] = np.where(lost[:, None], np.inf, bounds[0])
    if lost.any():
        bounds[1:] = [np.full(one.shape, np.inf) for one in bounds[1:]]
    return Triple(*bounds)


@QUIET
def loss_bound(sizes: Sizes, rows: Problem, data: Array, roundings: float) -> Array:
    """The bound of the returned loss; data: of what the rows come to; roundings: what the penalty's sum carries."""
    problem, fmt = sizes.problem, sizes.arithmetic.fmt
    if not sizes.in_range.all() or not problem.penalty.is_on:
        unknown = ~sizes.in_range if data.ndim else not sizes.in_range.all()
        return np.where(unknown, np.inf, data * _SLACK)
    bias = problem.bias64 if problem.penalty.takes_bias else np.zeros(1)
    squares = float((problem.weight64**2).sum() + (bias**2).sum())
    half = problem.penalty.slope / 2
    own = gamma(roundings + _SQUARES_ROUNDINGS, fmt) * half * squares
    own += sizes.arithmetic.smallest * (squares + half * (problem.weight.size + problem.n_classes) + 4)
    size = loss_size(rows).sum() / divisor(rows)
    error = (data + own + gamma(2.0, fmt) * (half * squares + data + size)) * _SLACK
    return np.where(squares < sizes.arithmetic.largest / 4, error, np.inf)
