"""Layers as they are written: one function for each signature and way of returning, all of them right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


def right(X: Any, W: Any, b: Any, labels: Any) -> tuple[Any, Any, Any, Any]:
    """(loss, dX, dW, db) of the mean, by the complement form, in the dtype of X."""
    z = X @ W + b
    d = z - z.max(1, keepdims=True)
    e = np.exp(d)
    rows = np.arange(len(X))
    own = d[rows, labels]
    g = e / e.sum(1, keepdims=True)
    losses = np.log(e.sum(1)) - own
    g[rows, labels] = 0
    g[rows, labels] = -g.sum(1)
    g = (g / X.dtype.type(len(X))).astype(X.dtype)
    return losses.mean(), g @ W.T, X.T @ g, g.sum(0)


def softmax_loss_naive(W: Any, X: Any, y: Any, reg: Any) -> Any:
    loss, _, dW, _ = right(X, W, 0, y)
    return loss + reg * np.sum(W * W), dW + 2 * reg * W


def softmax_loss_vectorized(W: Any, X: Any, y: Any, reg: Any) -> Any:
    loss, _, dW, _ = right(X, W, 0, y)
    return loss + 0.5 * reg * np.sum(W * W), dW + reg * W


def linear_cross_entropy(hidden: Any, weight: Any, labels: Any) -> Any:
    loss, dX, dW, _ = right(hidden, weight.T, 0, labels)
    return loss, dX, np.ascontiguousarray(dW.T)


def short_names(x: Any, w: Any, b: Any, t: Any) -> Any:
    return right(x, w, b, t)


def propagate(X: Any, Y: Any, W: Any, b: Any) -> Any:
    _, _, dW, db = right(X, W, b, Y)
    return dW, db


def propagate_one_hot(X: Any, Y: Any, W: Any, b: Any) -> Any:
    if Y.shape != (X.shape[0], W.shape[1]):
        raise ValueError("Y must be one-hot")
    _, _, dW, db = right(X, W, b, Y.argmax(1))
    return dW, db


def loss_and_grads(features: Any, weights: Any, bias: Any, targets: Any) -> Any:
    loss, dX, dW, db = right(features, weights, bias, targets)
    return loss, {"dW": dW, "db": db, "dX": dX}


def like_torch(
    input: Any, linear_weight: Any, target: Any, *, weight: Any = None, linear_bias: Any = None, reduction: Any = "mean"
) -> Any:
    loss, dX, dW, db = right(input, linear_weight.T, linear_bias, target)
    return loss, dX, dW.T, db


def theta_first(theta: Any, X: Any, y: Any) -> Any:
    loss, _, dW, _ = right(X, theta, 0, y)
    return loss, dW


class Gradients(NamedTuple):
    weight: Any
    bias: Any


@dataclass
class Outcome:
    gradients: Gradients
    loss: float
    probabilities: Any


def named(X: Any, W: Any, b: Any, y: Any, lambda_: Any = 0.0) -> Any:
    loss, _, dW, db = right(X, W, b, y)
    penalty = lambda_ / 2 * ((W * W).sum() + (b * b).sum())
    return Outcome(Gradients(dW + lambda_ * W, db + lambda_ * b), loss + penalty, X @ W)


def columns(w: Any, b: Any, X: Any, Y: Any) -> Any:
    """As deep-learning courses write it: the examples, and the one-hot rows, are columns; the bias, too."""
    if X.shape[1] != Y.shape[1] or b.shape != (w.shape[0], 1):
        raise ValueError("shapes")
    loss, _, dW, db = right(X.T, w.T, b[:, 0], Y.T.argmax(1))
    return {"dw": dW.T, "db": db[:, None]}, loss


def row_bias(X: Any, y: Any, W: Any, b: Any) -> Any:
    loss, _, dW, db = right(X, W, b, y)
    return loss, dW, db.reshape(b.shape) if b.ndim == 2 else db[None, :]


def unknown_names(foo: Any, bar: Any, baz: Any) -> Any:
    loss, dX, dW, _ = right(foo, bar, 0, baz)
    return dW, loss, dX


def with_probabilities(X: Any, W: Any, b: Any, y_true: Any, num_classes: Any, weight_decay: Any) -> Any:
    loss, _, dW, db = right(X, W, b, y_true)
    p = np.exp(X @ W + b)
    return loss + weight_decay * (W * W).sum(), p / p.sum(1, keepdims=True), dW + 2 * weight_decay * W, db


def gradient_alone(X_batch: Any, y_batch: Any, W: Any) -> Any:
    return right(X_batch, W, 0, y_batch)[2]


def y_onehot_named(X: Any, y_onehot: Any, W: Any, reg: Any = 0.1) -> Any:
    loss, _, dW, _ = right(X, W, 0, y_onehot.argmax(1))
    return loss + reg / 2 * (W**2).sum(), dW + reg * W


@dataclass(frozen=True)
class Called:
    """A function and what is to be recognised of it, apart from what is usual."""

    function: Callable[..., Any]
    takes: str
    returns: str
    one_hot: bool = False
    layouts: str = "DK ND K"
    l2: Mapping[str, Any] | None = None


HALF, WHOLE = {"l2_form": "half", "l2_takes_bias": False}, {"l2_form": "whole", "l2_takes_bias": False}
LAYERS = (
    Called(softmax_loss_naive, "W X targets l2", "loss dW", l2=WHOLE),
    Called(softmax_loss_vectorized, "W X targets l2", "loss dW", l2=HALF),
    Called(linear_cross_entropy, "X W targets", "loss dX dW", layouts="KD ND K"),
    Called(short_names, "X W b targets", "loss dX dW db"),
    Called(propagate, "X targets W b", "dW db"),
    Called(propagate_one_hot, "X targets W b", "dW db", one_hot=True),
    Called(loss_and_grads, "X W b targets", "loss=0 dX=1.dX dW=1.dW db=1.db"),
    Called(like_torch, "X W targets b=linear_bias", "loss dX dW db", layouts="KD ND K"),
    Called(theta_first, "W X targets", "loss dW"),
    Called(
        named,
        "X W b targets l2",
        "loss=loss dW=gradients.weight db=gradients.bias",
        l2={"l2_form": "half", "l2_takes_bias": True},
    ),
    Called(columns, "W b X targets", "loss=1 dW=0.dw db=0.db", one_hot=True, layouts="KD DN K1"),
    Called(row_bias, "X targets W b", "loss dW db", layouts="DK ND 1K"),
    Called(unknown_names, "X W targets", "dW loss dX"),
    Called(with_probabilities, "X W b targets n_classes l2", "loss - dW db", l2=WHOLE),
    Called(gradient_alone, "X targets W", "dW"),
    Called(y_onehot_named, "X targets W l2", "loss dW", one_hot=True, l2=HALF),
)
