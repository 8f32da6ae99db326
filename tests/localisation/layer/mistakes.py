"""Layers with one mistake each, and what is to be found out about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.localisation.words import EVERYWHERE
from gradlab.problems.problem import Array

Outputs = tuple[Any, Array, Array, Array]
Layer = Callable[..., Outputs]
Change = Callable[["Worked"], Any]


@dataclass(eq=False)
class Worked:
    """What a layer works out: of its inputs, and loss, dX, dW and db, which a mistake changes."""

    X: Array
    W: Array
    b: Array
    labels: Array
    l2: float
    p: Array
    t: Array
    loss: Any = 0.0
    dX: Array = None  # type: ignore[assignment]  # worked out below
    dW: Array = None  # type: ignore[assignment]
    db: Array = None  # type: ignore[assignment]

    @property
    def n(self) -> int:
        return len(self.X)

    def propagate(self, g: Array) -> None:
        """dX, dW and db of a gradient by the logits."""
        self.dX, self.dW, self.db = g @ self.W.T, self.X.T @ g + self.l2 * self.W, g.sum(axis=0)


def logits(X: Array, W: Array, b: Array) -> Array:
    return X @ W + b


def layer_with(change: Change, worked_logits: Callable[[Array, Array, Array], Array] = logits) -> Layer:
    """A sound layer whose outputs a mistake changes."""

    def layer(X: Array, W: Array, b: Array, labels: Array, l2: float = 0.0) -> Outputs:
        z = worked_logits(X, W, b)
        z = z - z.max(axis=1, keepdims=True)
        logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        one = Worked(X, W, b, labels, l2, np.exp(logs), np.eye(W.shape[1], dtype=z.dtype)[labels])
        one.loss = -logs[np.arange(len(X)), labels].mean() + l2 / 2 * (W * W).sum()
        one.propagate((one.p - one.t) / len(X))
        change(one)
        return one.loss, one.dX, one.dW, one.db

    return layer


def sound(one: Worked) -> None:
    """Changes nothing."""


@dataclass(frozen=True, eq=False)
class LayerMistake:
    """A layer that is wrong, where, and what comes out there."""

    layer: Layer
    what: str
    where: str = EVERYWHERE


def _set(**changes: Change) -> Layer:
    """A layer with other outputs."""

    def change(one: Worked) -> None:
        for name, value in {name: value(one) for name, value in changes.items()}.items():
            setattr(one, name, value)

    return layer_with(change)


def _running_sum(one: Worked) -> None:
    """The sum over classes in blocks of 4, not scaled again where the largest logit grows."""
    z = one.X @ one.W + one.b
    top, total = np.full(one.n, -np.inf), np.zeros(one.n)
    for start in range(0, z.shape[1], 4):
        block = z[:, start : start + 4]
        top = np.maximum(top, block.max(axis=1))
        total += np.exp(block - top[:, None]).sum(axis=1)
    logs = z - (top + np.log(total))[:, None]
    one.loss = -logs[np.arange(one.n), one.labels].mean() + one.l2 / 2 * (one.W * one.W).sum()
    one.propagate((np.exp(logs) - one.t) / one.n)


def _raises_for_many(one: Worked) -> None:
    if one.n > 12:
        raise ValueError("too many rows")


def _corner(one: Worked) -> Array:
    one.dW[0, 0] += one.X.shape[1] > 5
    return one.dW


def _features_in_fours(X: Array, W: Array, b: Array) -> Array:
    kept = len(W) // 4 * 4
    return np.asarray(X[:, :kept] @ W[:kept] + b)


def _first_blocks(one: Worked, size: int) -> Array:
    return np.where(np.arange(len(one.b)) < len(one.b) // size * size, one.db, 0.0)


def _by_rows_before(one: Worked) -> Array:
    return np.asarray(np.roll(one.X, 1, axis=0).T @ (one.p - one.t) / one.n + one.l2 * one.W)


def _through_softmax(one: Worked, g: Array) -> Array:
    return np.asarray(one.p * (g - (one.p * g).sum(axis=1, keepdims=True)))


def _is_misclassified(one: Worked) -> Array:
    return np.asarray(one.p.argmax(axis=1) != one.labels)[:, None]


def _corner_of_many(one: Worked) -> Array:
    """Something else for every entry, where there are many classes and the first feature is large."""
    return np.sin(np.arange(len(one.b)) * one.n) * (abs(one.X[0, 0]) > 1 and len(one.b) > 2)


MISTAKES = {
    "a factor of K": LayerMistake(_set(db=lambda one: one.db * len(one.b)), "db: K times what is right"),
    "a number": LayerMistake(_set(dX=lambda one: one.dX * 0.7), "dX: 0.7 times what is right"),
    "the penalty": LayerMistake(
        _set(dW=lambda one: one.dW + (one.n - 1) * one.l2 * one.W), "dW: the penalty's part is taken N times"
    ),
    "the penalty in the loss": LayerMistake(
        _set(loss=lambda one: one.loss - one.l2 / 2 * (one.W * one.W).sum()), "loss: without the penalty's part"
    ),
    "the bias penalised": LayerMistake(
        _set(db=lambda one: one.db + one.l2 * one.b), "db: the bias takes the penalty, too"
    ),
    "no probabilities": LayerMistake(_set(dX=lambda one: -one.t @ one.W.T / one.n), "dX: without the probabilities"),
    "the row before": LayerMistake(_set(dW=_by_rows_before), "dW: its features are those of the row before"),
    "classes in tens": LayerMistake(
        _set(db=lambda one: _first_blocks(one, 10)), "db: classes beyond the last whole block of 10 are 0"
    ),
    "features in fours": LayerMistake(
        layer_with(sound, _features_in_fours),
        "features beyond the last whole block of 4 are left out of the logits",
    ),
    "the logarithm": LayerMistake(
        _set(loss=lambda one: one.loss * 2, db=lambda one: -one.db),
        "loss: 2 times what is right; db: the sign is wrong",
    ),
    "more rows than classes": LayerMistake(
        _set(dX=lambda one: one.dX * (-1 if one.n > len(one.b) else 1)),
        "dX: the sign is wrong",
        "wrong only where N is greater than K",
    ),
    "six features": LayerMistake(
        _set(dW=_corner), "dW is wrong; loss, dX and db are right", "wrong only where D is 6 or more (right up to 5)"
    ),
    "a penalty in every chunk": LayerMistake(
        _set(dW=lambda one: one.dW + ((one.n - 1) // 20) * one.l2 * one.W),
        "dW: the penalty's part is taken the number of blocks of 20 rows times",
    ),
    "a step of the weight": LayerMistake(
        _set(dX=lambda one: (one.p - one.t) @ (one.W - 0.3 * one.dW).T / one.n),
        "dX: its weight is the one after a step of 0.3",
    ),
    "clipped": LayerMistake(_set(dW=lambda one: np.clip(one.dW, -0.25, 0.25)), "dW: it is clipped to 0.25"),
    "rounded": LayerMistake(_set(db=lambda one: np.round(one.db, 2)), "db: it is rounded to 2 decimals"),
    "rows in 36": LayerMistake(
        _set(db=lambda one: (one.p - one.t)[: one.n // 36 * 36].sum(axis=0) / one.n),
        "db: rows beyond the last whole block of 36 are left out",
    ),
    "the first class": LayerMistake(
        _set(db=lambda one: one.db * (np.arange(len(one.b)) > 0)), "db: classes that are the first are 0"
    ),
    "no penalty of the last class": LayerMistake(
        _set(dW=lambda one: one.dW - one.l2 * one.W * (np.arange(len(one.b)) == len(one.b) - 1)),
        "dW: the penalty leaves out the weights of the last class",
    ),
    "no multiple of 20": LayerMistake(
        _set(dW=lambda one: one.dW + (one.n % 20 > 0)),
        "dW is wrong; loss, dX and db are right",
        "wrong only where N is no multiple of 20",
    ),
    "an exception": LayerMistake(
        layer_with(_raises_for_many), "it raises ValueError", "wrong only where N is 13 or more (right up to 12)"
    ),
    "the size of P - T": LayerMistake(
        _set(dW=lambda one: one.X.T @ np.abs(one.p - one.t) / one.n + one.l2 * one.W),
        "dW: the logits' gradient is without its signs; loss, dX and db are right",
    ),
    "the softmax once more": LayerMistake(
        layer_with(lambda one: one.propagate(_through_softmax(one, (one.p - one.t) / one.n))),
        "the logits' gradient goes through the softmax once more",
    ),
    "no gradient where it is right": LayerMistake(
        _set(dX=lambda one: ((one.p - one.t) * _is_misclassified(one)) @ one.W.T / one.n),
        "dX: rows whose label has the largest logit have no gradient",
    ),
    "a sum over the features": LayerMistake(
        _set(db=lambda one: (one.X.T @ (one.p - one.t)).sum(axis=0) / one.n),
        "db: each row counts as much as its features sum to",
    ),
    "now and then": LayerMistake(
        _set(dX=lambda one: -one.t @ one.W.T / one.n, db=lambda one: one.db + _corner_of_many(one)),
        "on some of these problems",
        "wrong only where the largest weight, in size, is not 0",
    ),
    "few bits": LayerMistake(_set(dW=lambda one: one.dW.astype(np.float16).astype(one.dW.dtype)), "float16"),
    "a running sum": LayerMistake(layer_with(_running_sum), "4 classes after 4 that is not rescaled"),
}
