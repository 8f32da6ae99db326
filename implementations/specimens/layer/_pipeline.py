"""A sound layer in stages, of which a specimen replaces one or two.

    Z = X W + b -> P = softmax -> losses -> residual P - one-hot -> dX = G W^T, dW = X^T G, db = the sum of G's rows

and then the division by the number of rows that count, and the penalty slope/2 |W|^2. All in the dtype of the features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Outputs = tuple[Any, Array, Array, Array]  # loss, dX, dW and db

TILES = (
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    10,
    16,
    20,
    32,
    50,
    64,
    100,
    128,
    256,
)  # of rows or classes, in which variants are written


@dataclass(frozen=True, eq=False)
class Given:
    """What a layer is given.

    b: zeros where there is none. counts: the rows that are not ignored. divisor: their number for a mean, else 1.
    slope, takes_bias: of the penalty slope/2 |W|^2.
    """

    X: Array
    W: Array
    b: Array
    labels: Array
    counts: Array
    divisor: float
    reduction: str
    slope: float = 0.0
    takes_bias: bool = False

    @property
    def rows(self) -> Array:
        """0, 1, ..., N - 1."""
        return np.arange(len(self.X))

    @property
    def safe_labels(self) -> Array:
        """The labels, 0 in rows that are ignored."""
        return np.where(self.counts, self.labels, 0)

    def scalar(self, value: float) -> Any:
        """A number in the dtype of the features."""
        return self.X.dtype.type(value)


@dataclass(frozen=True, eq=False)
class Softmax:
    """The shifted logits, their exponentials' totals, (N, 1), and the probabilities."""

    shifted: Array
    totals: Array
    probabilities: Array


@dataclass(frozen=True, eq=False)
class Residual:
    """P - one-hot of the rows that count, not divided, (N, K), and the softmax that it was made of."""

    entries: Array
    softmax: Softmax


def logits(given: Given) -> Array:
    """Z = X W + b."""
    return given.X @ given.W + given.b


def shift(given: Given, z: Array) -> Array:
    """What is subtracted before exp: each row's largest logit."""
    return np.asarray(z.max(axis=1, keepdims=True))


def totals(given: Given, e: Array) -> Array:
    """The sum of each row's exponentials, (N, 1)."""
    return np.asarray(e.sum(axis=1, keepdims=True))


def losses(given: Given, softmax: Softmax) -> Array:
    """log sum exp of each row less the logit of its label, both shifted."""
    return np.asarray(np.log(softmax.totals[:, 0]) - softmax.shifted[given.rows, given.safe_labels])


def residual(given: Given, p: Array) -> Array:
    """P - one-hot."""
    g = p.copy()
    g[given.rows, given.safe_labels] -= given.scalar(1)
    return g


def counted(given: Given, entries: Array) -> Array:
    """0 in the rows that are ignored."""
    kept = given.counts if entries.ndim == 1 else given.counts[:, None]
    return np.where(kept, entries, given.scalar(0))


def features_gradient(given: Given, g: Residual) -> Array:
    """G W^T."""
    return np.asarray(divided(given, g.entries @ given.W.T))


def weight_gradient(given: Given, g: Residual) -> Array:
    """X^T G."""
    return np.asarray(divided(given, given.X.T @ g.entries))


def bias_gradient(given: Given, g: Residual) -> Array:
    """The sum of G's rows."""
    return np.asarray(divided(given, g.entries.sum(axis=0)))


def divided(given: Given, entries: Array) -> Array:
    """A gradient divided by the number of rows that count, where the loss is a mean; 0 where none counts."""
    return np.asarray(entries / given.scalar(max(given.divisor, 1.0)))


def reduced(given: Given, rows: Array) -> Any:
    """The loss of the batch: the mean over the rows that count, the sum, or the rows' losses."""
    if given.reduction == "none":
        return rows
    total = rows.sum()
    return total / given.scalar(given.divisor) if given.reduction == "mean" else total


def penalty_in_loss(given: Given) -> Any:
    """slope/2 |W|^2, and the same of the bias where it is penalised."""
    squares = (given.W * given.W).sum() + ((given.b * given.b).sum() if given.takes_bias else given.scalar(0))
    return given.scalar(given.slope / 2) * squares


def penalty_in_weight(given: Given) -> Array:
    """slope W."""
    return np.asarray(given.scalar(given.slope) * given.W)


def penalty_in_bias(given: Given) -> Array:
    """slope b, where the bias is penalised."""
    return np.asarray(given.scalar(given.slope if given.takes_bias else 0.0) * given.b)


@dataclass(frozen=True, eq=False)
class Stages:
    """The stages of a layer, each with what it is given; those that are not replaced are sound.

    prepared: what the layer makes of what it is given before anything else. returned: what it makes of its outputs.
    """

    prepared: Callable[[Given], Given] = lambda given: given
    logits: Callable[[Given], Array] = logits
    shift: Callable[[Given, Array], Array] = shift
    totals: Callable[[Given, Array], Array] = totals
    losses: Callable[[Given, Softmax], Array] = losses
    residual: Callable[[Given, Array], Array] = residual
    counted: Callable[[Given, Array], Array] = counted
    features_gradient: Callable[[Given, Residual], Array] = features_gradient
    weight_gradient: Callable[[Given, Residual], Array] = weight_gradient
    bias_gradient: Callable[[Given, Residual], Array] = bias_gradient
    reduced: Callable[[Given, Array], Any] = reduced
    penalty_in_loss: Callable[[Given], Any] = penalty_in_loss
    penalty_in_weight: Callable[[Given], Array] = penalty_in_weight
    penalty_in_bias: Callable[[Given], Array] = penalty_in_bias
    returned: Callable[[Given, Outputs], Outputs] = lambda given, outputs: outputs


def run(stages: Stages, given: Given) -> Outputs:
    """Loss, dX, dW and db by these stages."""
    given = stages.prepared(given)
    with np.errstate(all="ignore"):
        z = stages.logits(given)
        shifted = z - stages.shift(given, z)
        e = np.exp(shifted)
        sums = stages.totals(given, e)
        softmax = Softmax(shifted, sums, e / sums)
        rows = stages.counted(given, stages.losses(given, softmax))
        g = Residual(stages.counted(given, stages.residual(given, softmax.probabilities)), softmax)
        loss = stages.reduced(given, rows)
        if given.slope:
            loss = loss + stages.penalty_in_loss(given)
        d_x, d_w, d_b = (f(given, g) for f in (stages.features_gradient, stages.weight_gradient, stages.bias_gradient))
        if given.slope:
            d_w, d_b = d_w + stages.penalty_in_weight(given), d_b + stages.penalty_in_bias(given)
        return stages.returned(given, (loss, np.asarray(d_x), np.asarray(d_w), np.asarray(d_b)))


def given_from(X: Array, W: Array, b: Array | None, labels: Array, ignored: int | None, reduction: str) -> Given:
    """What a layer is given, its bias of zeros where it has none."""
    counts = np.ones(len(X), dtype=bool) if ignored is None else labels != ignored
    divisor = float(counts.sum()) if reduction == "mean" else 1.0
    bias = np.zeros(W.shape[1], dtype=W.dtype) if b is None else b
    return Given(X, W, bias, np.asarray(labels), counts, divisor, reduction)


def with_slope(given: Given, slope: float, takes_bias: bool = False) -> Given:
    """The same with a penalty."""
    return replace(given, slope=slope, takes_bias=takes_bias)
