"""Softmax regression as it is often taught: the labels are subtracted as they are, not as one-hot rows.

Defect: the gradient is p - y with y the column of integer labels, so that label 2 takes 2 from every class; and it is
not divided by the number of examples. The loss is right, but for the missing shift. Training learns nothing from the
labels: they move all classes of an example alike, which no probability notices.
Witness: logits [[0, 0]], label 0. The gradient should be [[-0.5, 0.5]] and is [[0.5, 0.5]].
Verdict: wrong, because the gradient is not that of its own loss and its rows do not sum to 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["teaching_label_vector"]

CLAIMS = {"dtypes": ["float32", "float64"]}
EXPECTED = {"verdict": "wrong", "because": ["gradient_is_the_derivative_of_its_own_loss", "rows_sum_to_zero"]}

Array = npt.NDArray[Any]


def softmax(z: Array) -> Array:
    """Each row's exp over its sum. exp overflows from a logit of 88.73 in float32 and 709.79 in float64."""
    e = np.exp(z)
    result: Array = e / e.sum(axis=1, keepdims=True)
    return result


def teaching_label_vector(logits: Array, labels: Array) -> tuple[Any, Array]:
    """The mean of -log p_y, and p minus the label column, which is not its gradient."""
    y = labels.reshape(-1, 1)
    p = softmax(logits)
    loss = np.mean(-np.log(p[np.arange(len(p)), labels]))
    return loss, p - y


def softmax_regression(X: Array, y: Array, W: Array, b: Array) -> tuple[Any, Array, Array]:
    """Loss, dW and db for inputs X (N, D), labels y (N,), weights W (D, K) and b (K,)."""
    loss, g = teaching_label_vector(X @ W + b, y)
    return loss, X.T @ g, g.sum(axis=0)


def train(X: Array, y: Array, W: Array, b: Array) -> tuple[Array, Array]:
    """W and b after a hundred steps down what is taken for the gradient."""
    for _ in range(100):
        _, dW, db = softmax_regression(X, y, W, b)
        W = W - 0.1 * dW
        b = b - 0.1 * db
    return W, b
