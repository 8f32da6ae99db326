"""The layer by blocks of rows, in NumPy: of the logits there is never more than one block."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._inputs import Array
from ._layer_inputs import LAYER_CLAIMS, checked_layer
from ._rows import mean

__all__ = ["layer_chunked"]

CLAIMS = LAYER_CLAIMS

BLOCK = 2**22  # bytes of a block of logits
MIN_ROWS = 64  # of a block: with fewer, adding to dW takes longer than the products
COLUMNS = 2**20  # bytes of what is added to dW at a time: it stays in the second-level cache


@np.errstate(over="ignore", invalid="ignore")  # x - max x may overflow to -inf, whose exp is the right 0
def layer_chunked(
    X: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike,
    labels: npt.ArrayLike,
) -> tuple[Any, Array, Array, Array]:
    """(loss, dX, dW, db): the mean softmax cross-entropy of the logits X W + b, and its gradients.

    X (N, D), W (D, K), b (K,), labels (N,); the loss is a scalar, dX (N, D), dW (D, K), db (K,), all in the dtype of X.
    For each block of rows the logits are worked out, become their gradient in place, and are added to dW and db: the
    forward pass does the backward pass's work, since nothing but N comes from the other rows.

    Breaks: the label's entry is p_y - 1, as in `layer`: 0, and all gradients with it, from a margin of 17 in float32
    and 37 in float64. Beyond the outputs it takes 5 MiB, and 64 K numbers where that is more.
    """
    features, weight, bias, labels = checked_layer(X, W, b, labels)
    n_rows, n_classes = len(features), len(bias)
    losses, d_features = np.empty(n_rows, features.dtype), np.empty(features.shape, features.dtype)
    d_weight, d_bias = np.zeros(weight.shape, weight.dtype), np.zeros(n_classes, bias.dtype)
    step = max(BLOCK // (n_classes * features.itemsize), MIN_ROWS)
    room = np.empty((min(step, n_rows), n_classes), features.dtype)
    for first in range(0, n_rows, step):
        rows = slice(first, first + step)
        g = np.matmul(features[rows], weight, out=room[: len(labels[rows])])
        g += bias
        losses[rows] = _losses(g, labels[rows], n_rows)
        np.matmul(g, weight.T, out=d_features[rows])
        _add_product(features[rows].T, g, d_weight)
        d_bias += g.sum(axis=0)
    return mean(losses), d_features, d_weight, d_bias


def _losses(logits: Array, labels: Array, n_rows: int) -> Array:
    """The losses of some rows of logits, which become their gradient, divided by n_rows."""
    places = np.arange(len(labels)), labels
    logits -= logits.max(axis=1, keepdims=True)
    own = logits[places]
    np.exp(logits, out=logits)
    sums = logits.sum(axis=1, keepdims=True)
    logits *= (1 / n_rows) / sums
    logits[places] -= logits.dtype.type(1 / n_rows)
    losses: Array = np.log(sums[:, 0]) - own
    return losses


def _add_product(left: Array, right: Array, total: Array) -> None:
    """Adds left right to the total, some columns at a time."""
    step = max(COLUMNS // (len(left) * left.itemsize), 1)
    for first in range(0, right.shape[1], step):
        columns = slice(first, first + step)
        total[:, columns] += left @ right[:, columns]
