"""Products of matrices without rounding errors: the factors cut into slices of a few bits, the slices multiplied.

A row of the left factor, with exponent e such that |x| < 2^e, is written as

    x = 2^e (s_0 2^-q + s_1 2^-2q + ... + rest),    s_k integers, |s_0| <= 2^q, |s_k| <= 2^(q-1) + 1 for k >= 1,

and so is a column of the right factor. Then the sum over d of a product of two slices is an integer, and so is that of
the at most s products with the same k + l, where s is the number of slices. With D terms each and s D 2^(2q) <= 2^53
all of these, and every partial sum, are integers of at most 53 bits: float64 adds them exactly, in whatever order a
BLAS does, with fused multiply-adds or without. What is left is the sum over m = k + l of integers times 2^(-q (m + 2)),
which is taken in double-double, each addition being off by at most ADD_ERROR of its result.

Left out are products with k + l >= s, and those with a rest. Where A_k, B_l bound the slices of a row and of a column,
in units of 2^e, and R_a, R_b their rests, this is at most D (sum A_k B_l + 1.01 R_a + 2 R_b), for |b| <= 1.01 and
the sum of a's slices is at most 2. It is 0 where few slices hold all bits, as those of rows of one binade do.

Scaling a row by 2^-e is exact, but for what is 2^1000 times below the largest of the row: that is off by less than
2^-1000, which is counted in the rest. The second parts of pairs are added to what the first two slices leave, whose
size is at most 2^(-2q - 1): this is off by at most 2^(-2q - 53).

Sources: K. Ozaki, T. Ogita, S. Oishi, S. M. Rump, Error-free transformations of matrix multiplication by using fast
routines of matrix multiplication and its applications, Numer. Algorithms 59, 2012, doi 10.1007/s11075-011-9478-1;
M. Joldes, J.-M. Muller, V. Popescu, ACM TOMS 44(2), 2017, doi 10.1145/3121432, algorithm 4 (a pair and a number).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradlab.oracle.double_double import UNIT, Pair, fast_two_sum, two_sum
from gradlab.oracle.intervals import Array
from gradlab.problems.dtypes import Format

_WANTED_BITS = 95  # that the slices of a row hold together: 2^-95 of the largest entry is left out
_WANTED_BITS_OF_FLOAT64 = 108  # no more, since double-double sums are off by 2^-106 of a partial sum
ADD_ERROR = 2.01 * UNIT**2
UPWARDS = 1 + 2.0**-30  # more than the roundings of a radius, a sum of fewer than 2^20 terms of one sign
NEGLIGIBLE = 2.0**-1000  # more than what underflows beside a row's largest entry
_LOWEST_EXPONENT = -500  # the scale of rows that are smaller; what is left out is then counted at that scale


class Slices(NamedTuple):
    """Rows of a matrix (R, D) cut into slices.

    integers: one array (R, D) of integers for each slice, in float64; slice k stands for integers 2^(exponent - q (k +
    1)), q being `bits`. largest: for each slice the largest of each row, (R,), and rest: what the slices leave, (R,),
    both in units of 2^exponent. exponent: (R,). present: 0.0 for the rows that hold nothing but zeros, else 1.0, (R,).
    """

    integers: list[Array]
    largest: list[Array]
    rest: Array
    exponent: Array
    present: Array
    bits: int


class Product(NamedTuple):
    """(high + low +- radius) 2^(rows + columns), entry by entry, (R, C); the exponents have shape (R, 1) and (1, C).

    present: 0.0 where a column of the right factor holds nothing but zeros, so that the entry is 0, else 1.0; (1, C).
    """

    high: Array
    low: Array
    radius: Array
    rows: Array
    columns: Array
    present: Array


class Plan(NamedTuple):
    """How many bits a slice has, and how many slices there are at most."""

    bits: int
    n_slices: int


def plan_slices(n_terms: int, fmt: Format) -> Plan:
    """The widest slices of which sums over n_terms products are exact, and as many as a problem of the format wants."""
    bits, wanted = 24, _WANTED_BITS if fmt.precision <= 24 else _WANTED_BITS_OF_FLOAT64
    while True:
        count = -(-wanted // bits)
        if count * n_terms * 2 ** (2 * bits) <= 2**53:
            return Plan(bits, count)
        bits -= 1


def slice_rows(high: Array, low: Array | None, plan: Plan) -> Slices:
    """The rows of high + low, (R, D), cut into slices; finite, |low| at most 2^-53 |high|."""
    exponent = np.maximum(np.frexp(np.abs(high).max(axis=1, initial=0.0))[1], _LOWEST_EXPONENT)
    scaled = np.ldexp(high, -exponent[:, None])
    lost = ((np.abs(scaled) < NEGLIGIBLE) & (high != 0)).any(axis=1) * NEGLIGIBLE
    integers: list[Array] = []
    largest: list[Array] = []
    remainder, unit = scaled, 1.0  # in units of 2^exponent times `unit`
    for number in range(plan.n_slices):
        if number == 2 and low is not None:
            remainder = remainder + np.ldexp(low, -exponent[:, None]) / unit
            lost = lost + 2.0 ** (-2 * plan.bits - 53) + NEGLIGIBLE
        if number >= (1 if low is None else 3) and not remainder.any():
            break
        remainder = remainder * 2.0**plan.bits
        unit *= 2.0**-plan.bits
        own = np.rint(remainder)
        remainder = remainder - own
        integers.append(own)
        largest.append(np.abs(own).max(axis=1, initial=0.0) * unit)
    rest = (np.abs(remainder).max(axis=1, initial=0.0) * unit + lost) * UPWARDS
    present = (high != 0).any(axis=1).astype(np.float64)
    return Slices(integers, largest, rest * present, exponent.astype(np.int64), present, plan.bits)


def multiply_slices(left: Slices, right: Slices, plan: Plan) -> Product:
    """left times the transpose of right, (R, C): sums over D terms, for which the plan was made."""
    n_terms = left.integers[0].shape[1]
    shape = (len(left.exponent), len(right.exponent))
    total: Pair | None = None
    radius = np.zeros(shape)
    for group in range(min(plan.n_slices, len(left.integers) + len(right.integers) - 1)):
        integers = _group(left, right, group)
        integers *= 2.0 ** (-plan.bits * (group + 2))
        if total is None:
            total = integers, np.zeros(shape)
        else:
            total = add_double(total, integers)
            radius += np.abs(total[0])
    assert total is not None  # there is at least one slice each
    present = right.present[None, :]
    left_out = UPWARDS * n_terms * _left_out(left, right, plan.n_slices) * (left.present[:, None] * present)
    radius = UPWARDS * (ADD_ERROR * radius + left_out)
    return Product(*total, radius, left.exponent[:, None], right.exponent[None, :], present)


def widen(product: Product, rows: Array) -> Product:
    """The product with a left factor that is known up to some radii, whose sums over each row are given, (R,).

    An entry of the right factor is at most 2^columns. The sums are upper bounds; what underflows is counted.
    """
    scaled = np.ldexp(rows[:, None], -product.rows) * UPWARDS
    more = scaled + np.where(rows[:, None] > 0, NEGLIGIBLE, 0.0)
    return product._replace(radius=(product.radius + more * product.present) * UPWARDS)


def add_double(pair: Pair, value: Array) -> Pair:
    """pair + value, with relative error at most ADD_ERROR, whatever the signs."""
    total, error = two_sum(pair[0], value)
    return fast_two_sum(total, pair[1] + error)


def _group(left: Slices, right: Slices, group: int) -> Array:
    """The sum of the products of slice k of the left and slice group - k of the right; integers."""
    pairs = [(k, group - k) for k in range(len(left.integers)) if 0 <= group - k < len(right.integers)]
    k, other = pairs[0]
    total = left.integers[k] @ right.integers[other].T
    for k, other in pairs[1:]:
        total += left.integers[k] @ right.integers[other].T
    return np.asarray(total)


def _left_out(left: Slices, right: Slices, count: int) -> Array:
    """A bound of each product that is left out of an entry, (R, C), for one term of its sum."""
    total = 1.01 * left.rest[:, None] + 2 * right.rest[None, :]
    for k, a in enumerate(left.largest):
        for other, b in enumerate(right.largest):
            if k + other >= count:
                total = total + a[:, None] * b[None, :]
    return np.asarray(total)
