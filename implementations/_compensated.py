"""Differences, exponentials and sums that keep what rounding takes away, in the precision of their arguments."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy as np

from ._inputs import Array

Work = tuple[Array, Array, Array]  # arrays of the result's shape to write to

FEW = 512  # losses
SOME = 64  # terms of all rows together
GROUP = 2**10  # terms that may be added in any order: more go by groups


def two_difference(a: Array, b: Array, work: Work | None = None) -> tuple[Array, Array]:
    """fl(a - b) and its rounding error, a - b - fl(a - b), exactly; NaN or inf where a - b is not finite.

    Source: Knuth, The Art of Computer Programming 2, 4.2.2, theorem B.
    """
    if work is None:  # in place costs more than a new array where that has one entry
        difference = a - b
        minus_b = difference - a
        return difference, (a - (difference - minus_b)) - (b + minus_b)
    difference = np.subtract(a, b, work[0])
    minus_b = np.subtract(difference, a, work[1])
    error = np.subtract(difference, minus_b, work[2])
    np.subtract(a, error, error)
    minus_b += b
    error -= minus_b
    return difference, error


def fast_two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """fl(a + b) and its rounding error exactly, for abs(a) >= abs(b): Dekker's."""
    total: Array = a + b
    return total, b - (total - a)


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """fl(a b) and its rounding error, a b - fl(a b), exactly, for float64 below 2^996 whose product is above 2^-960.

    Source: Dekker, A floating-point technique for extending the available precision, Numer. Math. 18, 1971.
    """
    product = a * b
    (upper, lower), (b_upper, b_lower) = _halves(a), _halves(b)
    error: Array = lower * b_lower - (((product - upper * b_upper) - lower * b_upper) - upper * b_lower)
    return product, error


def _halves(a: Array) -> tuple[Array, Array]:
    """Two parts of at most 26 bits each, whose sum is a."""
    scaled = 134217729.0 * a  # 2^27 + 1
    upper = scaled - (scaled - a)
    return upper, a - upper


def exponentials_of_difference(
    x: Array, m: Array, work: Work | None = None, lost: Array | None = None
) -> tuple[Array, Array]:
    """exp(x - m + lost) for x <= m, of the exact difference, as the pair exp(d) and exp(d) delta.

    lost: of the shape of m, and as small as delta: what rounding took from a distance that is added to x - m.
    abs(delta) is at most u abs(d), so where exp(d) is no zero delta^2/2 is below 2^-35 in float32, 2^-87 in float64.
    A NaN in m, and one only, becomes a NaN.
    """
    d, delta = two_difference(x, m, work)
    e: Array = np.exp(d, out=d)
    if lost is not None:
        delta += lost
    delta *= e
    if not np.minimum.reduce(delta, axis=None, initial=1) <= 1:  # x = -inf, or x - m overflows: exp(d) = 0
        delta[np.isnan(delta)] = 0
    return e, delta


def sum_of_pairs(terms: Array, corrections: Array, work: Array) -> tuple[Array, Array]:
    """The sum of each row of terms + corrections as the pair (high, low), shape (N,) each; abs(low) <= u high.

    terms and corrections: float64, (N, K), terms in [0, 1], each correction at most 2^10 u of its term. The pair is off
    by 2^-10 u of the sum up to K = 2^17, and by u/4 at K = 2^20: step 3 of docs/accuracy.md.
    All terms of a row are cut at the same place, so that the upper parts add up exactly; the lower ones and the
    corrections are too small for the rounding of their sum to count. That place is above 1, and above the row's largest
    term where the sum would show what is lost. Few are added by math.fsum: a call of NumPy takes longer than that.
    work: of the terms' shape. Source: Rump, Ogita, Oishi, Accurate floating-point summation I, SIAM J. Sci. Comput.
    31(1) 2008, sec. 3.
    """
    n_rows, n_classes = terms.shape
    if n_rows * n_classes <= SOME:
        rows = [[*row, *small] for row, small in zip(terms.tolist(), corrections.tolist(), strict=True)]
        sums = [math.fsum(row) for row in rows]
        return np.array(sums), np.array([math.fsum([*row, -total]) for row, total in zip(rows, sums, strict=True)])
    bits = (n_classes + 2).bit_length()
    high, low = _cut_sum(terms, corrections, 2.0**bits, work)
    least = smallest_sum(n_classes)
    if np.fmin.reduce(high, initial=least) < least:  # of rows that have a value
        small = high < least
        exponent = np.frexp(np.maximum.reduce(terms[small], axis=1, keepdims=True))[1]
        high[small], low[small] = _cut_sum(terms[small], corrections[small], np.ldexp(1.0, exponent + bits), None)
    return fast_two_sum(high, low)  # without it low may be 2^-23 of high: what neglects low^2 would lose digits


def smallest_sum(n_classes: int) -> float:
    """Upper parts that are cut at the first place, sigma, and add up to less are cut once more, at a lower one.

    The lower parts are at most u sigma each. Their sum is rounded by at most K u of K u sigma, in groups 2^9 u of it:
    2^-10 u of this number.
    """
    bits = (n_classes + 2).bit_length()
    return 2.0 ** (3 * bits - 43) if n_classes <= GROUP else 2.0 ** (2 * bits - 34)


def _cut_sum(terms: Array, corrections: Array, cut: Array | float, work: Array | None) -> tuple[Array, Array]:
    upper = np.add(terms, cut, out=work)
    upper -= cut
    high = np.add.reduce(upper, axis=1)
    np.subtract(terms, upper, out=upper)
    upper += corrections
    return high, _sum_in_groups(upper)


def _sum_in_groups(values: Array) -> Array:
    """The sum of each row of many values by sums of 128: no value goes through more than 2^9 additions."""
    if values.shape[1] > GROUP:
        while values.shape[1] > 128:
            values = np.add.reduceat(values, np.arange(0, values.shape[1], 128), axis=1)
    total: Array = np.add.reduce(values, axis=1)
    return total


def sum_of_losses(losses: Array, divisor: float) -> Any:
    """sum(losses) / divisor for losses >= 0, shape (N,), float64, rounded twice; inf only where the quotient is.

    Few are added by math.fsum, exactly. To be called where overflow, NaN and a division by 0 are ignored.
    """
    if len(losses) <= FEW:
        with suppress(OverflowError):
            return np.divide(math.fsum(losses.tolist()), divisor)
    exponent = np.frexp(np.maximum.reduce(losses, initial=0))[1]
    scaled = np.ldexp(losses, -exponent)
    if not np.isfinite(scaled).all():
        return np.ldexp(scaled.sum() / np.float64(divisor), exponent)
    row = scaled[None, :]
    high, low = sum_of_pairs(row, np.zeros_like(row), np.empty_like(row))
    return np.ldexp((high + low)[0] / np.float64(divisor), exponent)
