"""The layer one example at a time: a linear map, the loss of one row, and three outer products."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._inputs import Array
from ._layer_inputs import LAYER_CLAIMS, checked_layer
from ._rows import mean
from .loop import one_example

__all__ = ["layer_loop"]

CLAIMS = LAYER_CLAIMS


@np.errstate(over="ignore")  # the sum of the losses may, where their mean does not
def layer_loop(
    X: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike,
    labels: npt.ArrayLike,
) -> tuple[Any, Array, Array, Array]:
    """(loss, dX, dW, db): the mean softmax cross-entropy of the logits X W + b, and its gradients.

    X (N, D), W (D, K), b (K,), labels (N,); the loss is a scalar, dX (N, D), dW (D, K), db (K,), all in the dtype of X.
    With g the gradient by the logits of one row x: dX = W g, and dW = sum of x g^T, db = sum of g over the rows.

    Breaks: the label's entry of g is p_y - 1, see `loop`: from a margin of 17 in float32 and 37 in float64 it is 0, and
    dX, dW and db with it. dW and db are added up row after row, so that their error grows with N. Each row writes all
    of dW: that is D K numbers a row.
    """
    features, weight, bias, labels = checked_layer(X, W, b, labels)
    losses = np.empty(len(features), features.dtype)
    d_features, d_weight, d_bias = np.empty_like(features), np.zeros_like(weight), np.zeros_like(bias)
    for i, (x, label) in enumerate(zip(features, labels, strict=True)):
        losses[i], g = one_example(x @ weight + bias, label)
        g /= len(features)
        d_features[i] = weight @ g
        d_weight += np.outer(x, g)
        d_bias += g
    return mean(losses), d_features, d_weight, d_bias
