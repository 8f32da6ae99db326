"""Differences, exponentials and sums that keep what rounding takes away, in the precision of their arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._inputs import Array

Work = tuple[Array | None, Array | None, Array | None]  # arrays of the result's shape to write to, or None for new ones

FEW, LARGE = 512, 2.0**1000  # so many losses below it are added exactly and without overflow


def two_difference(a: Array, b: Array, work: Work = (None, None, None)) -> tuple[Array, Array]:
    """fl(a - b) and its rounding error, a - b - fl(a - b), exactly; NaN or inf where a - b is not finite.

    Source: Knuth, The Art of Computer Programming 2, 4.2.2, theorem B.
    """
    difference: Array = np.subtract(a, b, out=work[0])
    minus_b: Array = np.subtract(difference, a, out=work[1])
    error: Array = np.subtract(difference, minus_b, out=work[2])
    np.subtract(a, error, out=error)
    minus_b += b
    error -= minus_b
    return difference, error


def exponentials_of_difference(x: Array, m: Array, work: Work = (None, None, None), lost: Array | None = None) -> Array:
    """exp(x - m + lost) for x <= m, of the exact difference: exp(d + delta) as exp(d) + exp(d) delta.

    lost: of the shape of m, and as small as delta: what rounding took from a distance that is added to x - m.
    abs(delta) is at most u abs(d), so where exp(d) is no zero delta^2/2 is below 2^-35 in float32, 2^-87 in float64.
    A NaN in m, and one only, becomes a NaN.
    """
    d, delta = two_difference(x, m, work)
    e: Array = np.exp(d, out=d)
    if lost is not None:
        delta += lost
    delta *= e
    e += delta
    if np.isnan(
        np.minimum.reduce(e, axis=None, initial=1)
    ):  # x = -inf, or a difference that overflows: exp(d) = 0, and delta is NaN
        e[np.isnan(e) & np.isfinite(m)] = 0
    return e


def sum_of_terms(terms: Array, work: Array | None = None) -> tuple[Array, Array]:
    """The sum of each row of terms >= 0 as the pair (high, low), shape (N,) each, to 4 K (K - 1) (K + 2) u^2.

    In a precision below float64 it is taken there, where it is right to K 2^-53, and low is 0. In float64 each term is
    cut at the same place, so that the upper parts add up exactly, and the lower ones are too small for their rounding
    to count. Source: Rump, Ogita, Oishi, Accurate floating-point summation I, SIAM J. Sci. Comput. 31(1) 2008, sec. 3.
    """
    if terms.dtype != np.float64:
        high = terms.sum(axis=1, dtype=np.float64)
        return high, np.zeros_like(high)
    exponent = (
        np.frexp(np.maximum.reduce(terms, axis=1, keepdims=True, initial=0))[1] + (terms.shape[1] + 2).bit_length()
    )
    cut = np.ldexp(1.0, exponent)
    upper = np.add(terms, cut, out=work)
    upper -= cut
    high = np.add.reduce(upper, axis=1)
    np.subtract(terms, upper, out=upper)
    return high, np.add.reduce(upper, axis=1)


def added(one: Array, pair: tuple[Array, Array]) -> Array:
    """one + high + low, rounded once but for u^2; one (N,), and the pair as `sum_of_terms` gives it."""
    high, low = pair
    total = one + high
    second = total - one
    error = (one - (total - second)) + (high - second)
    return np.asarray(total + (error + low))


def sum_of_losses(losses: Array, divisor: float) -> Any:
    """sum(losses) / divisor for losses >= 0, shape (N,), float64, rounded twice; inf only where the quotient is.

    Few are added by math.fsum, exactly.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        largest = losses.max(initial=0)
        if len(losses) <= FEW and largest < LARGE:
            return np.divide(math.fsum(losses.tolist()), divisor)
        exponent = np.frexp(largest)[1]
        scaled = np.ldexp(losses, -exponent)
        high, low = sum_of_terms(scaled[None, :])
        total = (high + low)[0] if np.isfinite(scaled).all() else scaled.sum()
        return np.ldexp(total / np.float64(divisor), exponent)
