"""exp(x_j - max x) of some rows in double-double, and the sum over all classes but the largest.

The largest logit's own exponential is 1 exactly; it is kept out, so that S = 1 + s is a pair that loses nothing when s
is far below 1. The exponentials keep an exponent of their own, so neither they nor s underflow.

Bounds. e_j: EXP_ERROR, since x_j - max is split exactly by two_sum. s: that, plus `sum_error`, plus what scaling costs:
the terms are added at the scale 2^F of the largest of them, those below 2^(F - 900) are counted as if they were at
2^(F - 900), which is off by less than n 2^(F - 898), where s >= 0.999 2^F. Arguments below -2048 (and -inf) are
left out; each is less than 2^-2954, and that times their number is added to the enclosure of s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from flint import arb

from gradlab.oracle.conversion import ball_of
from gradlab.oracle.double_double import ADD_ERROR, Pair, add_nonnegative, row_sums, sum_error, two_sum
from gradlab.oracle.exponential import EXP_ERROR, LOWEST_ARGUMENT, exp_parts
from gradlab.oracle.intervals import Array, scaled

BLOCK_ENTRIES = 4096  # 32 KiB an array: the temporaries stay in the first two cache levels (measured, 3 times faster)
ROW_BLOCK_ENTRIES = 32768  # entries of the rows that are worked on together; the last steps of their sums are shared
NEGLIGIBLE_EXPONENT = -2954  # exp(-2048) < 2^-2954
_FARTHEST = -900
_NOT_A_TERM = -(2**20)


class Exponentials(NamedTuple):
    """exp(x_j - max x) of R rows, as (high + low) 2^exponent, shape (R, K); entries left out hold 0.

    Left out are the class `top` (R,), which holds a largest logit, and `negligible` (R, K), those below exp(-2048).
    others: s as a ball per row; highest (R,): the largest logits.
    """

    high: Array
    low: Array
    exponent: Array
    negligible: Array
    top: Array
    highest: Array
    others: list[arb]


def column_blocks(n_rows: int, n_classes: int) -> Iterator[slice]:
    """The columns in pieces of about BLOCK_ENTRIES entries."""
    step = max(1, BLOCK_ENTRIES // max(n_rows, 1))
    for start in range(0, n_classes, step):
        yield slice(start, min(start + step, n_classes))


def exponentials(logits: Array, top: Array) -> Exponentials:
    """The exponentials of rows of float64 logits (R, K); -inf is allowed, at most 2^1020 in size otherwise.

    top: for each row the class of a largest logit. To be called at the working precision wanted for `others`.
    """
    shape, places = logits.shape, np.arange(len(top))
    highest = logits[places, top]
    high, low, exponent = np.empty(shape), np.empty(shape), np.empty(shape, dtype=np.int64)
    negligible = np.empty(shape, dtype=bool)
    for columns in column_blocks(*shape):
        with np.errstate(invalid="ignore"):
            d_high, d_low = two_sum(logits[:, columns], -highest[:, None])
        left_out = negligible[:, columns] = d_high < LOWEST_ARGUMENT
        if left_out.any():
            d_high, d_low = np.where(left_out, LOWEST_ARGUMENT, d_high), np.where(left_out, 0.0, d_low)
        high[:, columns], low[:, columns], exponent[:, columns] = exp_parts((d_high, d_low))
    negligible[places, top] = True
    high[negligible], low[negligible], exponent[negligible] = 0.0, 0.0, _NOT_A_TERM
    negligible[places, top] = False
    others = _sums((high, low), exponent, negligible.sum(1))
    return Exponentials(high, low, exponent, negligible, top, highest, others)


def summed(pieces: Iterator[Pair]) -> Pair:
    """The sum of each row, shape (R,), over pieces (R, n) of its non-negative columns, the first the widest.

    The pieces are added to one another before the columns are. The first piece is overwritten.
    """
    high, low = next(pieces)
    for piece in pieces:
        width = piece[0].shape[1]
        high[:, :width], low[:, :width] = add_nonnegative((high[:, :width], low[:, :width]), piece)
    return row_sums((high, low))


def summed_error(n_rows: int, n_classes: int) -> float:
    """The relative error bound of `summed` over the pieces that `column_blocks` makes."""
    widths = [columns.stop - columns.start for columns in column_blocks(n_rows, n_classes)]
    return sum_error(widths[0]) + 1.01 * len(widths) * ADD_ERROR


def _sums(terms: Pair, exponent: Array, n_negligible: Array) -> list[arb]:
    n_rows, n_classes = exponent.shape
    scale = exponent.max(axis=1)

    def pieces() -> Iterator[Pair]:
        for columns in column_blocks(n_rows, n_classes):
            factor = scaled(1.0, np.maximum(exponent[:, columns] - scale[:, None], _FARTHEST))
            yield terms[0][:, columns] * factor, terms[1][:, columns] * factor

    totals = summed(pieces())
    error = 1.01 * (EXP_ERROR + summed_error(n_rows, n_classes)) + n_classes * 2.0 ** (_FARTHEST + 4)
    columns = (totals[0].tolist(), totals[1].tolist(), scale.tolist(), n_negligible.tolist())
    return [
        ball_of(high, low, place, error) + (arb(0, (count, NEGLIGIBLE_EXPONENT)) if count else 0)
        for high, low, place, count in zip(*columns, strict=True)
    ]
