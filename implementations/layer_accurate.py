"""The layer with every digit that its products allow: in twice the precision, and nothing subtracted that cancels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._compensated import sum_of_losses, two_difference
from ._inputs import Array
from ._layer_inputs import LAYER_CLAIMS, Layer, checked_layer
from ._rows import maximum
from ._split_products import split_product, two_sum
from .accurate import Block, _divide

__all__ = ["layer_accurate"]

CLAIMS = LAYER_CLAIMS

BLOCK = 2**24  # bytes of a block of logits, float64
MIN_ROWS = 64  # of a block
COLUMNS = 2**20  # bytes of what is added to dW at a time


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # as in `accurate`
def layer_accurate(
    X: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike,
    labels: npt.ArrayLike,
) -> tuple[Any, Array, Array, Array]:
    """(loss, dX, dW, db): the mean softmax cross-entropy of the logits X W + b, and its gradients.

    X (N, D), W (D, K), b (K,), labels (N,); the loss is a scalar, dX (N, D), dW (D, K), db (K,), all in the dtype of X.
    The gradient by the logits is that of `accurate`: the label's entry is minus the sum of the others, and right
    however confident an example is. float32 is worked out in float64, where the products of two numbers are exact, and
    each output is rounded once. In float64 the products are split, see `split_product`, so that logits, dX, dW and db
    are off by what the exponentials are, of the terms that they are sums of, and not by what sums of D, N or K terms
    are.

    Breaks: a gradient by the logits is right to 2^-52 of itself, in float64; where the terms of dX, dW or db cancel,
    they are right to that part of the terms. A split assumes numbers between 2^-480 and 2^480.
    """
    layer = checked_layer(X, W, b, labels)
    dtype = layer.features.dtype
    losses, *gradients = _layer(layer) if dtype == np.float64 else _layer_in_float64(layer)
    d_features, d_weight, d_bias = (one.astype(dtype, copy=False) for one in gradients)
    return dtype.type(sum_of_losses(losses, float(len(losses)))), d_features, d_weight, d_bias


def _blocks(layer: Layer) -> Iterator[slice]:
    """The rows, a block of them at a time."""
    step = _rows_of_block(layer)
    for first in range(0, len(layer.features), step):
        yield slice(first, first + step)


def _rows_of_block(layer: Layer) -> int:
    return max(BLOCK // (len(layer.bias) * 8), MIN_ROWS)


def _layer_in_float64(layer: Layer) -> tuple[Array, Array, Array, Array]:
    """The losses (N,), dX in the layer's dtype, dW and db, in float64, of a layer of float32."""
    features, weight, bias = (one.astype(np.float64) for one in (layer.features, layer.weight, layer.bias))
    losses, d_features = np.empty(len(features)), np.empty_like(layer.features)
    d_weight, d_bias = np.zeros_like(weight), np.zeros_like(bias)
    width = max(COLUMNS // (len(weight) * 8), 1)
    room = np.empty((min(_rows_of_block(layer), len(features)), len(bias)))
    for rows in _blocks(layer):
        g = np.matmul(features[rows], weight, out=room[: len(features[rows])])
        g += bias
        losses[rows] = _losses_in_place(g, layer.labels[rows], float(len(features)))
        d_features[rows] = g @ weight.T
        for first in range(0, len(bias), width):
            columns = slice(first, first + width)
            d_weight[:, columns] += features[rows].T @ g[:, columns]
        d_bias += g.sum(axis=0)
    return losses, d_features, d_weight, d_bias


def _losses_in_place(g: Array, labels: Array, divisor: float) -> Array:
    """The losses (n,) of rows of logits in float64, which become their gradient, divided, as in `accurate`."""
    places = labels + np.arange(0, g.size, g.shape[1])
    largest, own = maximum(g), g.take(places)
    g -= largest
    np.exp(g, out=g)
    term = g.take(places)
    g.reshape(-1)[places] = 0
    others = np.add.reduce(g, axis=1)
    denominator = (others + term) * divisor
    g *= 1 / denominator[:, None]
    g.reshape(-1)[places] = -(others / denominator)
    smaller = np.where(own == largest[:, 0], others, (others - 1) + term)  # the largest has the exponential 1
    return np.asarray((largest[:, 0] - own) + np.log1p(smaller))


def _layer(layer: Layer) -> tuple[Array, Array, Array, Array]:
    """The losses (N,), dX, dW and db of a layer of float64, its products split."""
    losses, d_features = np.empty(len(layer.features)), np.empty_like(layer.features)
    d_weight, d_bias = Pair.zeros(layer.weight), Pair.zeros(layer.bias)
    for rows in _blocks(layer):
        some = Layer(layer.features[rows], layer.weight, layer.bias, layer.labels[rows])
        losses[rows], g = _losses_and_gradient(some, float(len(losses)))
        d_features[rows] = np.add(*split_product(g, layer.weight.T))
        d_weight.add(*split_product(some.features.T, g))
        high, low = split_product(np.ones((1, len(g))), g)
        d_bias.add(high[0], low[0])
    return losses, d_features, d_weight.high + d_weight.low, d_bias.high + d_bias.low


class Pair(NamedTuple):
    """A sum so far, and what rounding took from it."""

    high: Array
    low: Array

    @classmethod
    def zeros(cls, like: Array) -> Pair:
        return cls(np.zeros(like.shape), np.zeros(like.shape))

    def add(self, high: Array, low: Array) -> None:
        """Adds high + low, in place."""
        self.high[...], error = two_sum(self.high, high)
        self.low[...] += error + low


def _losses_and_gradient(layer: Layer, divisor: float) -> tuple[Array, Array]:
    """The losses (n,) of float64 rows, and the gradient by their logits (n, K), divided."""
    high, low = split_product(layer.features, layer.weight)
    logits, error = two_sum(high, layer.bias)
    low += np.where(np.isfinite(logits), error, 0)  # a bias of -inf masks its class
    places = layer.labels + np.arange(0, logits.size, logits.shape[1])
    largest, own = maximum(logits), logits.take(places)
    low_of_largest = np.take_along_axis(low, logits.argmax(axis=1)[:, None], axis=1)
    terms, corrections = _exponentials(*two_difference(logits, largest), low - low_of_largest)
    block = Block(logits, layer.labels, places, largest, own, own == largest[:, 0], divisor)
    g = np.empty_like(logits)
    sums = _divide(terms, corrections, block, g, np.empty_like(logits))
    g.reshape(-1)[places] = -sums.target
    distance, error = two_difference(largest[:, 0], own)
    error[~np.isfinite(distance)] = 0  # a difference that overflows
    error += low_of_largest[:, 0] - low.take(places)
    return distance + (error + np.log1p(sums.smaller)), g


def _exponentials(difference: Array, error: Array, low: Array) -> tuple[Array, Array]:
    """exp(difference + error + low) as the pair exp(d) and exp(d) delta, with d the sum of the three, rounded.

    So abs(delta) is at most u abs(d), and delta^2 no matter, also where logits are large beside their differences.
    """
    is_finite = np.isfinite(difference)
    d, delta = two_sum(difference, np.where(is_finite, error + low, 0))
    e: Array = np.exp(d)
    return e, np.where(is_finite, delta, 0) * e
