"""The work on every entry of a block of rows, as calls of NumPy on pieces that stay in the cache.

`loop_kernels` does the same operations in the same order, entry by entry; the two agree in every bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradlab.oracle.double_double import ADD_ERROR, Pair, add, multiply, two_sum
from gradlab.oracle.fast.block_sums import column_blocks, sum_of_pieces
from gradlab.oracle.fast.exponential import LOWEST_ARGUMENT, Constants, exp_with
from gradlab.oracle.intervals import Array, normalised_parts, power_of_two

COEFFICIENT_ERROR = 2.0**-102  # proved in soft_targets
FARTHEST = -900
FARTHEST_ERROR = 2.0 ** (FARTHEST + 3)  # more than what counting an exponent as FARTHEST is off by
NOT_A_TERM = -(2**20)


class Terms(NamedTuple):
    """Exponentials as (high + low) 2^exponent; three arrays of shape (R, K)."""

    high: Array
    low: Array
    exponent: Array


class Scale(NamedTuple):
    """A factor per row, (high + low) 2^exponent, and the relative error of its products; four arrays of shape (R,)."""

    high: Array
    low: Array
    exponent: Array
    error: Array


Parts = tuple[Array, Array, Array, Array]  # high, low, radius, exponent of enclosures, shape (R, K)


def unwritten_terms(shape: tuple[int, ...]) -> Terms:
    """Terms to be written before they are read."""
    return Terms(np.empty(shape), np.empty(shape), np.empty(shape, dtype=np.int64))


def exponentials(logits: Array, top: Array, constants: Constants, terms: Terms, negligible: Array) -> None:
    """Write exp(x_j - x_top) of each row, and which entries of it are negligible (R, K); the class top holds 0.

    So do negligible entries, those below exp(LOWEST_ARGUMENT), with the exponent NOT_A_TERM.
    """
    high, low, exponent = terms
    places = np.arange(len(top))
    highest = logits[places, top]
    for columns in column_blocks(*logits.shape):
        with np.errstate(invalid="ignore"):
            d_high, d_low = two_sum(logits[:, columns], -highest[:, None])
        left_out = negligible[:, columns] = d_high < LOWEST_ARGUMENT
        if left_out.any():
            d_high, d_low = np.where(left_out, LOWEST_ARGUMENT, d_high), np.where(left_out, 0.0, d_low)
        high[:, columns], low[:, columns], exponent[:, columns] = exp_with((d_high, d_low), constants)
    negligible[places, top] = True
    high[negligible], low[negligible], exponent[negligible] = 0.0, 0.0, NOT_A_TERM
    negligible[places, top] = False


def scaled_sums(terms: Terms, scale: Array, width: int) -> Pair:
    """The sum of each row's terms divided by 2^scale (R,), as pairs (R,); width: of the blocks of columns."""
    shape = terms.exponent.shape

    def piece(columns: slice) -> Pair:
        factor = power_of_two(np.maximum(terms.exponent[:, columns] - scale[:, None], FARTHEST))
        return terms.high[:, columns] * factor, terms.low[:, columns] * factor

    return sum_of_pieces(piece(slice(start, start + width)) for start in range(0, shape[1], width))


def products(terms: Terms, scale: Scale, out: Parts) -> None:
    """Write the enclosures of scale_i times each term."""
    error, scale_exponent = scale.error[:, None], scale.exponent[:, None]
    c = (scale.high[:, None], scale.low[:, None])
    for columns in column_blocks(*terms.high.shape):
        high, low = multiply((terms.high[:, columns], terms.low[:, columns]), c)
        exponent = terms.exponent[:, columns] + scale_exponent
        found = normalised_parts(high, low, high * error, exponent)
        for target, part in zip(out, found, strict=True):
            target[:, columns] = part


def costs(t: Pair, logits: Array, highest: Array, width: int) -> Pair:
    """The sum of t_j (highest - x_j) of each row, as pairs (R,); without the classes of t_j = 0, whose x_j may be -inf.

    width: of the blocks of columns.
    """

    def piece(columns: slice) -> Pair:
        high = t[0][:, columns]
        with np.errstate(invalid="ignore"):
            distance = two_sum(highest[:, None], -logits[:, columns])
            product, error = multiply((high, t[1][:, columns]), distance)
        return np.where(high == 0, 0.0, product), np.where(high == 0, 0.0, error)

    return sum_of_pieces(piece(slice(start, start + width)) for start in range(0, logits.shape[1], width))


def differences(terms: Terms, scale: Scale, t: Pair, out: Parts) -> None:
    """Write the enclosures of scale_i times each term minus t_ij, for pairs t (R, K) of error COEFFICIENT_ERROR.

    Where t_ij is not 0 the product is brought to its scale, its exponent being counted as FARTHEST at least.
    """
    error, scale_exponent = scale.error[:, None], scale.exponent[:, None]
    c = (scale.high[:, None], scale.low[:, None])
    for columns in column_blocks(*terms.high.shape):
        high, low = multiply((terms.high[:, columns], terms.low[:, columns]), c)
        exponent = terms.exponent[:, columns] + scale_exponent
        target = (t[0][:, columns], t[1][:, columns])
        active = target[0] != 0
        factor = power_of_two(np.where(active, np.maximum(exponent, FARTHEST), 0))
        total, radius = difference((high * factor, low * factor), target, error)
        radius = np.where(active, radius + FARTHEST_ERROR, radius)
        found = normalised_parts(*total, radius, np.where(active, 0, exponent))
        for whole, part in zip(out, found, strict=True):
            whole[:, columns] = part


def difference(product: Pair, t: Pair, error: Array) -> tuple[Pair, Array]:
    """product - t and its error, for a non-negative product of relative error `error`, t of COEFFICIENT_ERROR."""
    total = add(product, (-t[0], -t[1]))
    return total, product[0] * error + 1.01 * COEFFICIENT_ERROR * t[0] + 1.01 * ADD_ERROR * np.abs(total[0])
