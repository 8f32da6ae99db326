"""The target's entry as minus the sum of the others: nothing is subtracted from 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._inputs import Array, checked
from ._rows import maximum, mean

__all__ = ["complement"]

CLAIMS = {
    "dtypes": ["float32", "float64"],
    "refuses_bad_labels": True,
    "empty_batch": True,
    "keeps_dtype": True,
    "big_endian": True,
}


@np.errstate(over="ignore")  # x - max x may overflow to -inf, whose exp is the right 0
def complement(logits: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Any, Array]:
    """The mean of (max x - x_y) + log1p(sum of exp(d_j) without the largest), and (p - one_hot(y)) / N.

    d_j = x_j - max x; logits (N, K), labels (N,); the loss is a scalar and the gradient (N, K), both in the dtype of
    the logits. Loss and target entry keep their digits for as long as they are normal numbers: up to a margin of 87
    in float32 and 708 in float64.

    Breaks: d_j is rounded, and exp(d_j) with it: off by up to 64 ULP from abs(d_j) = 64 on in float32, by up to 512
    from 512 on in float64. On confident rows the loss and the target's entry are off by as much.
    """
    logits, labels = checked(logits, labels)
    rows = np.arange(len(logits))

    largest = maximum(logits)
    exponentials = np.exp(logits - largest)
    pivot = np.where(logits[rows, labels] == largest[:, 0], labels, logits.argmax(axis=1))  # of equals, the label
    pivots = exponentials[rows, pivot]  # 1, or NaN
    exponentials[rows, pivot] = 0
    rest = exponentials.sum(axis=1)
    exponentials[rows, pivot] = pivots
    loss = mean((largest[:, 0] - logits[rows, labels]) + np.log1p(rest))

    gradient = exponentials / (pivots + rest)[:, None]
    gradient[rows, labels] = target_entries(gradient, labels)
    gradient /= max(len(logits), 1)
    return loss, gradient


def target_entries(probabilities: Array, labels: Array) -> Array:
    """p_y - 1 for each row, shape (N,), with its digits: minus the sum of the other p_j where p_y exceeds 1/2.

    Below 1/2 the subtraction loses nothing, and costs one rounding where the sum costs one per class.
    """
    rows = np.arange(len(labels))
    others = probabilities.copy()
    others[rows, labels] = 0
    own = probabilities[rows, labels]
    return np.where(own > 0.5, 0 - others.sum(axis=1), own - 1)
