"""The layer by blocks that stay in the cache, compiled: the logits are never in memory."""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._compiled import kernels
from ._inputs import Array
from ._layer_inputs import LAYER_CLAIMS, Layer, checked_layer

__all__ = ["layer_fused"]

CLAIMS = LAYER_CLAIMS
NEEDS = {"numba": "fast"}  # the package, and the extra that brings it

ROOM = 7 * 2**19  # bytes of a block of logits
ENOUGH_ROWS = 48  # of a block with all classes: with fewer, the products wait for the weight
ROWS = 256  # of a block with some of the classes
PRODUCT = 2**18  # bytes of what is added to dW, or to dX, at a time


def layer_fused(
    X: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike,
    labels: npt.ArrayLike,
) -> tuple[Any, Array, Array, Array]:
    """(loss, dX, dW, db): the mean softmax cross-entropy of the logits X W + b, and its gradients.

    X (N, D), W (D, K), b (K,), labels (N,); the loss is a scalar, dX (N, D), dW (D, K), db (K,), all in the dtype of X.
    A block of logits, 3.5 MiB of them, is worked out, and its largest entries and sums are found; then it becomes the
    gradient in place and is added to dW, dX and db, all while it is in the cache. Where it has no room for all classes
    of ENOUGH_ROWS rows, it has some of the classes: the sums are found in a first pass, with `online`'s rule, and a
    second one works out the logits again. The label's entry is minus the sum of the others, so it has all its digits
    beyond a margin of 17. Beyond the outputs it takes 4 MiB. Raises ImportError without numba.

    Breaks: the logits are rounded to the dtype, and an error of e in a logit is one of e in its exponential, relative:
    entries far below the largest are off by as many ULP as the logits are large. dW and db are added up block after
    block in the dtype.
    """
    layer = Layer(*map(np.ascontiguousarray, checked_layer(X, W, b, labels)))
    features, weight, bias, _ = layer
    if features.dtype.name not in ("float32", "float64"):
        raise TypeError(f"X must be float32 or float64, got {features.dtype}")
    n_rows, n_classes = len(features), len(bias)
    losses = np.empty(n_rows)
    gradient = Gradient(*(np.zeros(one.shape, one.dtype) for one in (features, weight, bias)))
    n_numbers = ROOM // features.itemsize
    has_all = n_numbers // n_classes >= ENOUGH_ROWS
    most, width = (n_numbers // n_classes, n_classes) if has_all else (ROWS, n_numbers // ROWS)
    step = -(-n_rows // -(-n_rows // most)) if n_rows else 1  # blocks of one size: a last one of few rows costs as much
    room = np.empty(step * width, features.dtype)
    for first in range(0, n_rows, step):
        rows = slice(first, first + step)
        some = Layer(features[rows], weight, bias, layer.labels[rows])
        losses[rows] = _add_rows(some, Gradient(gradient.features[rows], *gradient[1:]), n_rows, room)
    loss = features.dtype.type(kernels().sum_over(losses, float(n_rows), features.dtype.type(0)))
    return loss, *gradient


def layer_kernels() -> ModuleType:
    """The compiled kernels of a layer. Raises ImportError where numba is not installed."""
    kernels()  # which says which extra brings it
    from . import _layer_rows

    return _layer_rows


class Gradient(NamedTuple):
    """The gradients with respect to features, weight and bias, to which blocks are added."""

    features: Array
    weight: Array
    bias: Array


def _add_rows(layer: Layer, gradient: Gradient, divisor: int, room: Array) -> Array:
    """The losses (n,) of some rows, float64; their gradients, divided, are added. room: for a block of the logits."""
    compiled = layer_kernels()
    n_rows, n_classes = len(layer.features), len(layer.bias)
    width = min(room.size // n_rows, n_classes)
    blocks = [slice(first, min(first + width, n_classes)) for first in range(0, n_classes, width)]
    numbers = np.tile([-np.inf, 0.0, 0.0], (n_rows, 1))
    losses, shares = np.empty(n_rows), np.empty((n_rows, 3))
    for classes in blocks:
        block = _logits(layer, classes, room)
        compiled.add_bias_and_sum(block, layer.bias[classes], layer.labels, classes.start, numbers)
    compiled.finish_rows(numbers, float(divisor), losses, shares)
    for classes in blocks:
        if len(blocks) > 1:
            block = _logits(layer, classes, room)
            block += layer.bias[classes]
        compiled.gradient_in_place(block, layer.labels, classes.start, shares, gradient.bias[classes])
        add_product(block, layer.weight[:, classes].T, gradient.features)
        add_product(layer.features.T, block, gradient.weight[:, classes])
    return losses


def _logits(layer: Layer, classes: slice, room: Array) -> Array:
    """X W for some classes, without the bias, in the room; rows of these classes lie next to each other."""
    shape = (len(layer.features), classes.stop - classes.start)
    block = room[: shape[0] * shape[1]].reshape(shape)
    return np.matmul(layer.features, layer.weight[:, classes], out=block)


def add_product(left: Array, right: Array, total: Array) -> None:
    """Adds left right to the total, some columns at a time: the product of those stays in the second-level cache."""
    step = max(PRODUCT // (len(left) * left.itemsize), 1)
    for first in range(0, right.shape[1], step):
        columns = slice(first, first + step)
        total[:, columns] += left @ right[:, columns]
