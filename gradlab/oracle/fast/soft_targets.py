"""Gradient and losses of a block of rows whose coefficients may be spread over many classes.

The reduction multiplies each gradient by r, and so are the coefficients from the start: t stands for r t.
A = sum_j t_j, c = A/S, S = 1 + s.
    g_j = c e_j - t_j for every class but the largest logit's;
    g_top = (sum_{j != top} t_j - t_top s) / S, which does not cancel where the target is sharp;
    loss = A log1p(s) + sum_j t_j (max - x_j), all terms non-negative.
A subtraction that cancels leaves an enclosure that is too wide; the caller sends such rows to ball arithmetic.

Bounds. The constants t of the classes come from balls: 2^-105. A probability q: multiply_by_double and
add_nonnegative make COEFFICIENT_ERROR = 2^-102 of 2^-105 + 4.01 u^2 + 3.01 u^2 + products of these. The product t_j
(max - x_j) adds MULTIPLY_ERROR, the sums `summed_error`; underflow of a product costs less than 2^-1000 a term.
c e_j: see sharp_targets. It is brought to t_j's scale, where an exponent below -900 is counted as -900 (off by less
than 2^-897), and `add` costs ADD_ERROR of the result. Nonzero sizes are within the limits below: nothing overflows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from flint import arb

from gradlab.oracle.double_double import (
    MULTIPLY_ERROR,
    Pair,
    add_nonnegative,
    multiply_by_double,
)
from gradlab.oracle.exact.canonical import class_coefficients
from gradlab.oracle.exact.conversion import balls_of_pairs, to_enclosures
from gradlab.oracle.fast.array_kernels import COEFFICIENT_ERROR, Scale
from gradlab.oracle.fast.block_sums import block_width, column_blocks, sum_of_pieces, summed_error
from gradlab.oracle.fast.row_softmax import Exponentials
from gradlab.oracle.fast.sharp_targets import scale_error, widen_negligible
from gradlab.oracle.intervals import Array, Enclosures, concatenate, fill, ldexp
from gradlab.problems.problem import Problem

LARGEST_LOGIT = 2.0**400
CLASS_LIMITS = (-300, 300)  # binades
PROBABILITY_LIMITS = (2.0**-150, 2.0**100)


class ClassPairs(NamedTuple):
    """Pairs of shape (K,), times r: t_j of a class that is not the label, of the label, and their difference."""

    other: Pair
    label: Pair
    hard: Pair


def class_pairs(problem: Problem, share: arb) -> ClassPairs | None:
    """What coefficients are made of, relative error 2^-105; None unless all are 0 or within CLASS_LIMITS.

    What is 0 is so exactly: one that float64 alone would take for 0, eps/K for a subnormal eps, is not.
    """
    classes = class_coefficients(problem)
    hard = [label - other for label, other in zip(classes.label, classes.other, strict=True)]
    if problem.objective.label_smoothing == 1:
        hard = [arb(0)] * len(hard)  # of which the balls know only that it is tiny
    columns = [to_enclosures([ball * share for ball in balls]) for balls in (classes.other, classes.label, hard)]
    found = concatenate(columns)
    exact = (found.high == 0) & (found.radius == 0)
    inside = (CLASS_LIMITS[0] < found.exponent) & (found.exponent < CLASS_LIMITS[1]) & (found.high > 0)
    if not (exact | inside).all():
        return None
    return ClassPairs(*((ldexp(c.high, c.exponent), ldexp(c.low, c.exponent)) for c in columns))


class SoftRows(NamedTuple):
    """A block of rows: their logits and the pairs of their coefficients r t, all of shape (R, K)."""

    logits: Array
    high: Array
    low: Array


def smoothed_labels(logits: Array, labels: Array, classes: ClassPairs) -> SoftRows:
    """A block of rows with labels (R,)."""
    high, low = (np.broadcast_to(part, logits.shape).copy() for part in classes.other)
    places = np.arange(len(labels))
    high[places, labels], low[places, labels] = classes.label[0][labels], classes.label[1][labels]
    return SoftRows(logits, high, low)


def probability_rows(logits: Array, targets: Array, classes: ClassPairs) -> SoftRows:
    """A block of rows with probabilities (R, K) in float64; relative error of t at most COEFFICIENT_ERROR."""
    rows = SoftRows(logits, np.empty(logits.shape), np.empty(logits.shape))
    for columns in column_blocks(*logits.shape):
        hard, other = ((pair[0][columns], pair[1][columns]) for pair in (classes.hard, classes.other))
        product = multiply_by_double(hard, targets[:, columns])
        rows.high[:, columns], rows.low[:, columns] = add_nonnegative(product, other)
    return rows


def soft_answer(parts: Exponentials, rows: SoftRows, share: arb, out: Enclosures) -> list[arb]:
    """The rows' own losses as balls; writes the gradient (R, K), times the share, into `out`."""
    own, rest, costs = _row_totals(parts, rows)
    coefficient_sum = [t + r for t, r in zip(own, rest, strict=True)]
    scales = [a / (1 + s) for a, s in zip(coefficient_sum, parts.others, strict=True)]
    tops = [(r - t * s) / (1 + s) for t, r, s in zip(own, rest, parts.others, strict=True)]
    losses = [(a * s.log1p() + cost) / share for a, s, cost in zip(coefficient_sum, parts.others, costs, strict=True)]
    converted = to_enclosures(scales + tops)
    _write_entries(parts, rows, converted[: len(own)], out)
    fill(out, (np.arange(len(own)), parts.top), converted[len(own) :])
    return losses


def _row_totals(parts: Exponentials, rows: SoftRows) -> tuple[list[arb], list[arb], list[arb]]:
    """Balls per row: t_top, the sum of the other t_j, and sum_j t_j (max - x_j)."""
    shape = rows.logits.shape
    at_top = (np.arange(shape[0]), parts.top)
    own = (rows.high[at_top], rows.low[at_top])
    costs = parts.kernels.costs((rows.high, rows.low), rows.logits, parts.highest, block_width(shape[0]))
    rows.high[at_top], rows.low[at_top] = 0.0, 0.0  # from here on the largest logit's class is dealt with apart
    rest = sum_of_pieces(
        (rows.high[:, columns].copy(), rows.low[:, columns].copy()) for columns in column_blocks(*shape)
    )
    error = 1.01 * (COEFFICIENT_ERROR + MULTIPLY_ERROR + summed_error(*shape))
    lost = arb(0, (shape[1], -1000))
    return _balls(own, COEFFICIENT_ERROR), _balls(rest, error), [cost + lost for cost in _balls(costs, error)]


def _balls(values: Pair, error: float) -> list[arb]:
    return balls_of_pairs(values[0].tolist(), values[1].tolist(), [0] * len(values[0]), error)


def _write_entries(parts: Exponentials, rows: SoftRows, scale: Enclosures, out: Enclosures) -> None:
    factors = Scale(scale.high, scale.low, scale.exponent, scale_error(scale))
    target = (out.high, out.low, out.radius, out.exponent)
    parts.kernels.differences(parts.terms, factors, (rows.high, rows.low), target)
    if parts.negligible.any():
        widen_negligible(out, parts.negligible & (rows.high == 0), scale)
