"""Softmax regression as it is often taught: shifted by the largest entry of the whole matrix, one-hot targets.

Defect: one shift serves all rows. In a row that lies far below the largest logit of the batch every exp underflows
to 0, and the row is 0 / 0 = NaN: from 103.98 below in float32 and 745.14 in float64. And the loss multiplies
log A by a one-hot 0: a class that underflows makes it 0 * -inf = NaN, also where the target is the sure winner.
With weights, db lacks the factor 1/m that dW has; gradlab's problems are logits so far and do not see that.
Witness: logits [[0, 0], [-800, -800]], labels [0, 1]: the second row of the gradient should be [0.25, -0.25] and is
NaN. Logits [[0, -800]], label 0: the loss should be 0 and is NaN.
Verdict: unstable, because it is right on moderate logits and gives NaN where a row or a class underflows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["teaching_global_shift"]

CLAIMS = {"dtypes": ["float32", "float64"]}
EXPECTED = {"verdict": "unstable", "because": ["gradient_within_forward_error", "rows_are_independent"]}

Array = npt.NDArray[Any]


def softmax(Z: Array) -> Array:
    """Each row's exp over its sum, after the largest entry of Z is subtracted from all of it."""
    E = np.exp(Z - np.max(Z))
    result: Array = E / np.sum(E, axis=1, keepdims=True)
    return result


def teaching_global_shift(logits: Array, labels: Array) -> tuple[Any, Array]:
    """-(1/m) sum(Y log A) and its gradient (A - Y) / m."""
    m, n_classes = logits.shape
    Y = np.eye(n_classes)[labels]
    A = softmax(logits)
    loss = -(1 / m) * np.sum(Y * np.log(A))
    return loss, (A - Y) / m


def softmax_regression(X: Array, y: Array, W: Array, b: Array) -> tuple[Any, Array, Array]:
    """Loss, dW and db for inputs X (m, D), labels y (m,), weights W (D, K) and b (K,); db lacks the 1/m."""
    m = len(X)
    Z = X @ W + b
    Y = np.eye(Z.shape[1])[y]
    A = softmax(Z)
    loss, _ = teaching_global_shift(Z, y)
    dW = X.T @ (A - Y) / m
    db = np.sum(A - Y, axis=0)
    return loss, dW, db
