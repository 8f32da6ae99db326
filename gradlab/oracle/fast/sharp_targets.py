"""Gradient and losses of a block of rows with one active class each: plain labels, weighted or not.

g_j = c e_j with c = t_y r / S, no subtraction, where the reduction multiplies each gradient by r: g_y = -c s where y is
the class `top`, else g_y = -c (S - e_y), which cancels by a factor 2 at most because e_y <= 1 <= S - e_y. loss = t_y
(log1p(s) + max - x_y), both terms non-negative. c, g_y and the loss are balls; c is turned into a pair, and
    g_j = multiply(e_j, c): relative error at most EXP_ERROR + (error of c) + MULTIPLY_ERROR, times 1.01 for products.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from flint import arb

from gradlab.oracle.double_double import MULTIPLY_ERROR
from gradlab.oracle.exact.conversion import balls_of_pairs, to_enclosures
from gradlab.oracle.fast.array_kernels import Scale
from gradlab.oracle.fast.exponential import EXP_ERROR
from gradlab.oracle.fast.row_softmax import NEGLIGIBLE_EXPONENT, Exponentials
from gradlab.oracle.intervals import Array, Enclosures, fill


class SharpRows(NamedTuple):
    """A block of rows: their logits (R, K) in float64, labels (R,), and coefficients t_y."""

    logits: Array
    labels: Array
    coefficients: list[arb]


def sharp_answer(parts: Exponentials, rows: SharpRows, share: arb, out: Enclosures) -> list[arb]:
    """The rows' own losses as balls; writes the gradient (R, K), times the share of the reduction, into `out`."""
    places = np.arange(len(rows.labels))
    one, shared = arb(1), _times_share(rows.coefficients, share)
    totals = [s + one for s in parts.others]
    scales = [product / total for product, total in zip(shared, totals, strict=True)]
    own = _label_exponentials(parts, rows.labels)
    quadruples = zip(scales, parts.others, totals, own, strict=True)
    targets = [-(c * s if e is None else c * (total - e)) for c, s, total, e in quadruples]
    labelled = rows.logits[places, rows.labels].tolist()
    gaps = zip(rows.coefficients, parts.others, parts.highest.tolist(), labelled, strict=True)
    losses = [t * (s.log1p() + (arb(high) - x)) for t, s, high, x in gaps]
    converted = to_enclosures(scales + targets)
    scale, target = converted[: len(places)], converted[len(places) :]
    scaled_exponentials(parts, scale, out)
    fill(out, (places, parts.top), scale)
    fill(out, (places, rows.labels), target)
    return losses


def scaled_exponentials(parts: Exponentials, scale: Enclosures, out: Enclosures) -> None:
    """Write c_i e_ij for each entry (R, K), for non-negative c (R,); the entries at `top` are not meaningful."""
    factors = Scale(scale.high, scale.low, scale.exponent, scale_error(scale))
    parts.kernels.products(parts.terms, factors, (out.high, out.low, out.radius, out.exponent))
    widen_negligible(out, parts.negligible, scale)


def widen_negligible(answer: Enclosures, negligible: Array, scale: Enclosures) -> None:
    """Let the negligible entries, a mask (R, K), whose exponentials were left out, enclose c e_j: in place."""
    if negligible.any():
        rows, columns = np.nonzero(negligible)
        answer.radius[rows, columns] = 1.0
        answer.exponent[rows, columns] = scale.exponent[rows] + (NEGLIGIBLE_EXPONENT + 1)


def scale_error(scale: Enclosures) -> Array:
    """The relative error bound of c_i e_ij, shape (R,), to be applied to the rounded value."""
    return 1.01 * (EXP_ERROR + MULTIPLY_ERROR + 1.01 * scale.radius)


def _label_exponentials(parts: Exponentials, labels: Array) -> list[arb | None]:
    """e_y as a ball for each row, or None where the label is the class `top`."""
    found: list[arb | None] = [None] * len(labels)
    places = np.flatnonzero(labels != parts.top)
    at_labels = (places, labels[places])
    high, low, exponent = (part[at_labels].tolist() for part in parts.terms)
    balls = balls_of_pairs(high, low, exponent, EXP_ERROR)
    for place, ball in zip(places.tolist(), balls, strict=True):
        found[place] = ball
    nothing = arb(0, (1, NEGLIGIBLE_EXPONENT))
    for place in places[parts.negligible[at_labels]].tolist():
        found[place] = nothing
    return found


def _times_share(coefficients: list[arb], share: arb) -> list[arb]:
    """Each t times the share; of the same t, as all classes have without weights, worked out once."""
    first = coefficients[0]
    if all(t is first for t in coefficients):
        return [first * share] * len(coefficients)
    return [t * share for t in coefficients]
