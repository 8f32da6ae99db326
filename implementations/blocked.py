"""Blocks of rows that stay in the second-level cache, in place, without temporary arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._inputs import Array, checked
from ._rows import mean

__all__ = ["blocked"]

CLAIMS = {
    "dtypes": ["float32", "float64"],
    "refuses_bad_labels": True,
    "empty_batch": True,
    "keeps_dtype": True,
    "big_endian": True,
}

BLOCK = 2**19  # bytes of a block: it stays in the second-level cache from one step to the next
FEW = 64  # classes: below it the steps run along the columns, which NumPy's loops over short rows are slower than


@np.errstate(over="ignore", invalid="ignore")  # x - max x may overflow to -inf, whose exp is the right 0
def blocked(logits: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Any, Array]:
    """The mean of log sum_j exp(d_j) - d_y, d_j = x_j - max x, and its gradient (p - one_hot(y)) / N.

    logits (N, K), labels (N,); the loss is a scalar and the gradient (N, K), both in the dtype of the logits. The
    steps of `shifted`, five calls a block, each into the gradient. For few classes they work on the transposed array.

    Breaks: the target's entry is p_y - 1, as in the shifted form: with two classes it is 0, which is 100% wrong, from
    a margin of 17 in float32 and 37 in float64.
    """
    logits, labels = checked(logits, labels)
    softmax = _along_columns if logits.shape[1] < FEW else _along_rows
    losses, gradient = softmax(logits, labels)
    return mean(losses), gradient


def _along_rows(logits: Array, labels: Array) -> tuple[Array, Array]:
    """The losses (N,) and the gradient (N, K) of their mean."""
    n_rows, n_classes = logits.shape
    gradient = np.empty_like(logits, order="C", subok=False)
    largest, sums = np.empty((n_rows, 1), logits.dtype), np.empty((n_rows, 1), logits.dtype)
    step = max(BLOCK // (n_classes * logits.itemsize), 1)
    for first in range(0, n_rows, step):
        rows = slice(first, first + step)
        block, most, total = gradient[rows], largest[rows], sums[rows]
        np.maximum.reduce(logits[rows], axis=1, keepdims=True, out=most)
        np.subtract(logits[rows], most, out=block)
        np.exp(block, out=block)
        np.add.reduce(block, axis=1, keepdims=True, out=total)
        block *= (1 / n_rows) / total
    places = np.arange(n_rows), labels
    gradient[places] -= logits.dtype.type(1 / max(n_rows, 1))
    return np.log(sums[:, 0]) - (logits[places] - largest[:, 0]), gradient


def _along_columns(logits: Array, labels: Array) -> tuple[Array, Array]:
    """As `_along_rows`, on the transposed logits; the gradient's memory is in the order of columns."""
    n_rows = len(logits)
    gradient = np.array(logits.T, order="C")
    flat, places = gradient.reshape(-1), labels * n_rows + np.arange(n_rows)
    gradient -= np.maximum.reduce(gradient, 0)
    own = flat[places]
    np.exp(gradient, gradient)
    sums = np.add.reduce(gradient, 0)
    share = 1 / max(n_rows, 1)
    gradient *= share / sums
    flat[places] -= share
    return np.log(sums) - own, gradient.T
