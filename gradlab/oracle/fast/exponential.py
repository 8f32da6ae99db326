"""exp in double-double with an integer exponent of its own, for arguments in [-2048, 0], and the proof of its bound.

exp(d) = T_j (1 + y) 2^q with k = RN(d / C), C = log(2)/4096, j = k mod 4096, q = floor(k / 4096), T_j = 2^(j/4096),
1 + y = exp(d - k C). All bounds are for -2048 <= d_h <= 0 and |d_l| <= u |d_h| <= 2^-42; u = 2^-53.

1. Reduction. C = C_1 + C_2 + C_3 + c: C_1 is a multiple of 2^-41 (29 bits), C_2 of 2^-66 with |C_2| <= 2^-42, C_3 is a
   float64 with |C_3| <= 2^-67, and |c| <= 2^-121. |k| <= 2048/C + 1 < 2^23.54 fits in 24 bits, so k C_1 (53 bits)
   and k C_2 (48 bits) are exact. k is the integer nearest to a product of relative error 2 u, so
   |d_h - k C| <= C/2 + 2^-40 and, with k (C - C_1) <= 2^-18.4, |d_h - k C_1| < 2^-13 and |r_h| < 2^-13, more
   precisely |r_h| <= 2^-13.4. Where k != 0, |d_h| >= C/2 - 2^-40 > 2^-14, so d_h, k C_1 and k C_2 are multiples of
   2^-66: r_h = (d_h - k C_1) - k C_2 takes 53 bits and is exact. Where k = 0, r_h = d_h.
   r_l = RN(d_l - RN(k C_3)): |k C_3| <= 2^-43.4, so |r_l| <= 2^-41.4. Errors: k c <= 2^-97.4,
   rounding the product <= 2^-96.4, the difference <= 2^-94.4. Together below 2^-93.8.
2. expm1. With r = r_h + r_l: r_h^2 / 2 = a + a' exactly (two_product), |a| <= 2^-27.8, |a'| <= 2^-80.8. The cross
   term r_l (r_h + r_l / 2) is at most 2^-54.7 and is off by less than 4 u 2^-54.7 = 2^-105.7.
   The rest, r^3 (1/6 + r/24 + r^2/120 + r^3/720), is at most 2^-42.7; s = RN(r) enters three times (3 u), three more
   factors are rounded (3 u), the bracket carries less than 2.1 u (its own addition, 1/6, and terms below 2^-15 of it):
   8.2 u 2^-42.7 < 2^-92.6. The tail r^7/5040 (1 + ...) is below 2^-106.
   y_h + t = r_h + a exactly (fast_two_sum; a = 0 or |a| < |r_h|), |t| <= 2^-66.4. y_l = RN(RN(rest + RN(cross +
   a')) + RN(r_l + t)): roundings u 2^-54.6, u 2^-42.6, u 2^-41.3 and u 2^-40.8, below 2^-92.7 together.
   |y_l| <= 2^-40.8.
   Error of y: 2^-93.8 + 2^-92.6 + 2^-92.7 + small < 2^-91.3 (an error of r is magnified by exp(r) < 1.0001).
3. Product. T_h + T_l = T_j (1 + 2^-105), |T_l| <= 2^-53 since 1 <= T_j < 2. Relative to T_j >= 1, T_h y_h = p + p' is
   exact, T_l y_h <= 2^-66.3 is off by u of itself; T_h y_l <= 2^-40.8 T_h and the three additions round at most four
   times, u 2^-40.7 each: 2^-91.7. T_l y_l <= 2^-93.8 is left out. T_h + p = f_0 + t' is exact (|p| < T_h).
   Relative error of T_j (1 + y): (2^-91.3 + 2^-91.7 + 2^-93.8 + 2^-105) / (1 - 2^-13) < 2^-90.3.

Hence EXP_ERROR = 2^-90, with room for dividing by the computed value in place of the exact one. Products that underflow
(r_h^2 or T_h y_h where d is tiny) cost less than 2^-1000. The result is normalised, its value in
(1 - 2^-13, 2 + 2^-12). Measured errors stay below 2^-92.8 (tests/oracle/test_exponential.py holds them against the
bound from both sides).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from flint import arb, ctx, fmpq

from gradlab.oracle.double_double import Pair, fast_two_sum, two_product
from gradlab.oracle.intervals import Array

EXP_ERROR = 2.0**-90
LOWEST_ARGUMENT = -2048.0
_TABLE_BITS = 12
_ENTRY = 2**_TABLE_BITS - 1


class Constants(NamedTuple):
    """The table of 2^(j/4096) as pairs, and C = log(2)/4096 in three parts with its reciprocal."""

    table_high: Array
    table_low: Array
    step: tuple[float, float, float]
    per_step: float


def exp_parts(d: Pair) -> tuple[Array, Array, Array]:
    """(f_h, f_l, q) with exp(d_h + d_l) = (f_h + f_l) 2^q, relative error at most EXP_ERROR.

    d_h in [-2048, 0], |d_l| <= 2^-53 |d_h|; f_h + f_l in (0.999, 2.001), q int64. Nothing underflows.
    """
    return exp_with(d, constants())


def exp_with(d: Pair, constants: Constants) -> tuple[Array, Array, Array]:
    """As `exp_parts`, given the constants."""
    multiple = np.rint(d[0] * constants.per_step)
    index = as_integers(multiple)
    first, second, third = constants.step
    reduced_high = (d[0] - multiple * first) - multiple * second
    reduced_low = d[1] - multiple * third
    y_high, y_low = expm1((reduced_high, reduced_low))
    table_high = look_up(constants.table_high, index & _ENTRY)
    table_low = look_up(constants.table_low, index & _ENTRY)
    product, product_error = two_product(table_high, y_high)
    high, error = fast_two_sum(table_high, product)
    low = ((table_high * y_low + table_low * y_high) + (table_low + product_error)) + error
    return *fast_two_sum(high, low), index >> _TABLE_BITS


def as_integers(values: Array) -> Array:
    """The values, which are integers, as int64."""
    return values.astype(np.int64)


def look_up(table: Array, places: Array) -> Array:
    """The table's entries at the places, which it must have."""
    return np.take(table, places, mode="clip")


def expm1(r: Pair) -> Pair:
    """exp(r) - 1 for |r| < 2^-13.3, within 2^-91.3 (step 2 of the module's proof)."""
    r_high, r_low = r
    square, square_error = two_product(r_high, r_high)
    single = r_high + r_low
    rest = single * (1 / 720) + 1 / 120
    rest = rest * single + 1 / 24
    rest = rest * single + 1 / 6
    rest = rest * (single * single * single)
    cross = r_low * (r_high + 0.5 * r_low) + 0.5 * square_error
    high, error = fast_two_sum(r_high, 0.5 * square)
    return high, (rest + cross) + (r_low + error)


@cache
def constants() -> Constants:
    """The constants, rounded from balls of 256 bits."""
    with ctx.workprec(256):
        roots = [arb(2) ** arb(fmpq(j, 2**_TABLE_BITS)) for j in range(2**_TABLE_BITS)]
        highs = [float(root) for root in roots]
        lows = [float(root - high) for root, high in zip(roots, highs, strict=True)]
        step = arb.const_log2() / 2**_TABLE_BITS
        first = _to_multiple(step, 41)
        second = _to_multiple(step - first, 66)
        parts = (first, second, float(step - first - second))
        return Constants(np.array(highs), np.array(lows), parts, float(1 / step))


def _to_multiple(value: arb, bits: int) -> float:
    """The multiple of 2^-bits nearest to value."""
    return float((value * arb(2) ** bits + 0.5).floor().mid()) * 2.0**-bits
