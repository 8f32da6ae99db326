"""Softmax regression as it is often taught: a loop over the examples that adds up x^T delta and delta.

Defect: no shift. exp overflows from a logit of 88.73 in float32 and 709.79 in float64, and inf / inf is NaN; where
all logits of a row lie below -103.98 or -745.14 every exp is 0, and 0 / 0 is NaN. And the loss multiplies log P by
a one-hot 0: a class that underflows makes it 0 * -inf = NaN, also where the target is the sure winner.
Witness: logits [[1000, 0]], label 0: the loss should be 0 and is NaN.
Verdict: unstable, because it is right on moderate logits, the division of both sums by n included, and gives NaN
where an exp leaves the range of the dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["teaching_example_loop"]

CLAIMS = {"dtypes": ["float32", "float64"]}
EXPECTED = {"verdict": "unstable", "because": ["gradient_within_forward_error", "loss_within_forward_error"]}

Array = npt.NDArray[Any]


def softmax(Z: Array) -> Array:
    """Each row's exp over its sum."""
    E = np.exp(Z)
    result: Array = E / np.sum(E, axis=1, keepdims=True)
    return result


def teaching_example_loop(logits: Array, labels: Array) -> tuple[Any, Array]:
    """-mean(sum(Y log P)) and its gradient, one example after the other."""
    n, n_classes = logits.shape
    Y = np.eye(n_classes)[labels]
    P = softmax(logits)
    loss = -np.mean(np.sum(Y * np.log(P), axis=1))
    gradient = np.zeros(logits.shape)
    for i in range(n):
        gradient[i] = P[i] - Y[i]
    return loss, gradient / n


def softmax_regression(X: Array, y: Array, W: Array, b: Array) -> tuple[Any, Array, Array]:
    """Loss, dW and db for inputs X (n, D), labels y (n,), weights W (D, K) and b (K,)."""
    n = len(X)
    Y = np.eye(W.shape[1])[y]
    P = softmax(X @ W + b)
    loss = -np.mean(np.sum(Y * np.log(P), axis=1))
    dW, db = np.zeros_like(W), np.zeros_like(b)
    for i in range(n):
        delta = P[i] - Y[i]
        dW += np.outer(X[i], delta)
        db += delta
    return loss, dW / n, db / n
