"""Softmax regression as it is often taught: a softmax written for one vector is applied to a whole batch.

Defect: the sum runs over every entry of the batch and not over each row, so that all the probabilities of the batch
together, not those of one example, sum to 1. A batch of one row is right. There is no shift either.
Witness: logits [[0, 0], [0, 0]], labels [0, 1]. Every probability should be 0.5 and is 0.25; the loss should be
log 2 and is log 4.
Verdict: wrong, because the rows of the gradient do not sum to 0 as soon as there are two of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["teaching_one_dimensional"]

CLAIMS = {"dtypes": ["float32", "float64"]}
EXPECTED = {"verdict": "wrong", "because": ["rows_sum_to_zero", "rows_are_independent"]}

Array = npt.NDArray[Any]


def softmax(x: Array) -> Array:
    """exp(x) over its sum: right for a vector, and for nothing else."""
    result: Array = np.exp(x) / np.sum(np.exp(x))
    return result


def teaching_one_dimensional(logits: Array, labels: Array) -> tuple[Any, Array]:
    """The mean of -log p_y and (p - one_hot) / N, with probabilities that sum to 1 over the whole batch."""
    n = len(logits)
    p = softmax(logits)
    loss = -np.log(p[np.arange(n), labels]).mean()
    g = p.copy()
    g[np.arange(n), labels] -= 1
    return loss, g / n


def softmax_regression(X: Array, y: Array, W: Array, b: Array) -> tuple[Any, Array, Array]:
    """Loss, dW and db for inputs X (N, D), labels y (N,), weights W (D, K) and b (K,)."""
    loss, g = teaching_one_dimensional(X @ W + b, y)
    return loss, X.T @ g, g.sum(axis=0)
