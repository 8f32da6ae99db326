"""Mistakes at sizes of rows and classes together, and in the rows of large batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.problems.problem import Array
from tests.localisation.functions import ANYWHERE, FACTOR, Function, Mistake, in_rows, right


def row_before_at_multiples_of_12(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    moved = g.copy()
    moved[12::12] = g[11:-1:12]
    return loss, moved


def by_another_sum(change: Callable[[Array], Array]) -> Function:
    """p = e / s in the gradient, s another sum of the exponentials e, shape (N, 1)."""

    def wrong(x: Array, y: Array) -> Any:
        with np.errstate(all="ignore"):
            e = np.exp(x - x.max(axis=1, keepdims=True))
            g = e / change(e).astype(x.dtype)
            g[np.arange(len(y)), y] -= 1
            return right(x, y)[0], g / x.dtype.type(max(len(y), 1))

    return wrong


AT_SIZES = {
    "row_before_at_multiples_of_12": Mistake(
        row_before_at_multiples_of_12,
        "wrong only where the row's number (from 0) is 12 or more (right up to 0)"
        " and the row's number (from 0) is a multiple of 12",
        "the gradient of a row is that of the row before",
    ),
    "twice_as_many_classes": Mistake(
        in_rows(lambda x, y: x.shape[1] == 2 * len(y)), "wrong only where K is 2 N", FACTOR
    ),
    "multiples_of_both": Mistake(
        in_rows(lambda x, y: (len(y) % 4 == 0) & (x.shape[1] % 3 == 0)),
        "wrong only where N is a multiple of 4 and K is a multiple of 3",
        FACTOR,
    ),
    "first_block_summed": Mistake(
        by_another_sum(lambda e: e[:, :128].sum(axis=1, keepdims=True)),
        "wrong only where there are 129 classes or more (right up to 128)",
        "the gradient is that of a sum over the first 128 classes alone",
    ),
    "sum_kept_in_half": Mistake(
        by_another_sum(lambda e: e.sum(axis=1, keepdims=True).astype(np.float16)),
        ANYWHERE,
        "the gradient is that of a sum of exp(x - max x) that is rounded to float16",
    ),
}
