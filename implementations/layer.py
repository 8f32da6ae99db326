"""The layer in five lines of NumPy: logits, loss and gradient by the logits, and three sums over it."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ._inputs import Array
from ._layer_inputs import LAYER_CLAIMS, checked_layer
from .shifted import shifted

__all__ = ["layer"]

CLAIMS = LAYER_CLAIMS


def layer(
    X: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike,
    labels: npt.ArrayLike,
) -> tuple[Any, Array, Array, Array]:
    """(loss, dX, dW, db): the mean softmax cross-entropy of the logits X W + b, and its gradients.

    X (N, D), W (D, K), b (K,), labels (N,); the loss is a scalar, dX (N, D), dW (D, K), db (K,), all in the dtype of X.
    With G the gradient by the logits, (N, K): dX = G W^T, dW = X^T G, and db the sum of the rows of G.

    Breaks: as `shifted`, whose label's entry is p_y - 1: with one confident example after another, a margin of 17 in
    float32 and 37 in float64, G is 0, and so is all the rest. Logits and G are in memory as a whole, N K numbers each,
    which for a language model is more than the model.
    """
    features, weight, bias, labels = checked_layer(X, W, b, labels)
    loss, g = shifted(features @ weight + bias, labels)
    return loss, g @ weight.T, features.T @ g, g.sum(axis=0)
