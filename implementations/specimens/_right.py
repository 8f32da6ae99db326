"""The parts of a softmax cross-entropy, each of them right: a specimen takes these, and does one thing wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._rows import maximum, mean, sum_over

Array = npt.NDArray[Any]
Answer = tuple[Any, Array]


@np.errstate(over="ignore", invalid="ignore")  # x - max x may overflow to -inf, whose exp is the right 0
def below_maximum(logits: Array) -> Array:
    """d_j = x_j - max x, shape (N, K); NaN in rows without a value."""
    shifted: Array = logits - maximum(logits)
    return shifted


def softmax(logits: Array) -> Array:
    """exp(d_j) / sum exp(d_j), shape (N, K)."""
    e = np.exp(below_maximum(logits))
    p: Array = e / e.sum(axis=1, keepdims=True)
    return p


def row_losses(logits: Array, labels: Array) -> Array:
    """log sum exp(d_j) - d_y of each row, shape (N,)."""
    d = below_maximum(logits)
    losses: Array = np.log(np.exp(d).sum(axis=1)) - picked(d, labels)
    return losses


def picked(values: Array, labels: Array) -> Array:
    """The entry of each row at its label, shape (N,)."""
    chosen: Array = values[np.arange(len(values)), labels]
    return chosen


def minus_one_hot(p: Array, labels: Array) -> Array:
    """p - one_hot(labels), in the dtype of p."""
    gradient = p.copy()
    gradient[np.arange(len(p)), labels] -= 1
    return gradient


def one_hot(labels: Array, like: Array) -> Array:
    """1 at each row's label and 0 elsewhere, with the shape and dtype of `like`."""
    return -minus_one_hot(np.zeros_like(like), labels)


def reduced(losses: Array, gradient: Array, reduction: str) -> Answer:
    """The loss and the gradient for a reduction, "none", "sum" or "mean", from those of the rows."""
    if reduction == "none":
        return losses, gradient
    if reduction == "sum":
        return sum_over(losses, losses.dtype.type(1)), gradient
    return mean(losses), gradient / gradient.dtype.type(max(len(gradient), 1))
