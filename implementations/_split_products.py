"""Products of float64 matrices that keep what rounding takes away: each factor is split, so that most is exact."""

from __future__ import annotations

import numpy as np

from ._inputs import Array

PRECISION = 53


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """fl(a + b) and its rounding error, exactly: Knuth's, as in `_compensated`, for any two arrays."""
    total: Array = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def split_product(left: Array, right: Array) -> tuple[Array, Array]:
    """left right as the pair (high, low), for float64 (n, m) and (m, k), right to about 2^-90 of the largest terms.

    Each row of the left factor, and each column of the right one, is split into three: two parts of so few bits that
    sums of m of their products are exact, in any order, and what is left. With a_1 b_1, a_1 b_2 and a_2 b_1 exact, the
    rest is 2^-2 bits of the largest product of a row and a column, and rounded in float64.
    Source: Ozaki, Ogita, Oishi, Rump, Error-free transformations of matrix multiplication, Numer. Algorithms 59, 2012.
    Not exact where terms are above 2^960 or below 2^-960.
    """
    bits = (PRECISION - max(left.shape[1], 1).bit_length()) // 2
    a_1, a_2, a_3 = _parts(left, bits, axis=1)
    b_1, b_2, b_3 = _parts(right, bits, axis=0)
    middle, error = two_sum(a_1 @ b_2, a_2 @ b_1)
    high, lost = two_sum(a_1 @ b_1, middle)
    rest = a_1 @ b_3 + (a_2 @ (b_2 + b_3) + a_3 @ right)
    return two_sum(high, lost + (error + rest))


def _parts(values: Array, bits: int, axis: int) -> tuple[Array, Array, Array]:
    """Three parts whose sum is the values: the first two are multiples of 2^-bits, 2^(-2 bits) of the largest."""
    exponent = np.frexp(np.abs(values).max(axis=axis, keepdims=True, initial=0))[1]
    upper, rest = _cut(values, exponent, bits)
    lower, rest = _cut(rest, exponent - bits, bits)
    return upper, lower, rest


def _cut(values: Array, exponent: Array, bits: int) -> tuple[Array, Array]:
    """The values, below 2^exponent, rounded to multiples of 2^(exponent - bits), and what that leaves, both exactly."""
    sigma = np.ldexp(1.5, exponent + (PRECISION - 1 - bits))
    upper = (values + sigma) - sigma
    return upper, values - upper
