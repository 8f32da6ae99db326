"""A right function, and what mistakes are made of; each mistake with the words in which it has to be described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.problems.problem import Array

Function = Callable[[Array, Array], Any]
Which = Callable[[Array, Array], Any]
LAST = "wrong only where the label is the last class"
FACTOR = "1.01 times what it should be"
ANYWHERE = "wrong on every problem that can show it"


@dataclass(frozen=True)
class Mistake:
    """A function, and what must be said of it: `where` in full, and a part of `what`."""

    function: Function
    where: str
    what: str


def parts(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """The losses, the gradient before the division, and the probabilities."""
    with np.errstate(all="ignore"):
        m = x.max(axis=1, keepdims=True)
        e = np.exp(x - m)
        s = e.sum(axis=1, keepdims=True)
        rows, p = np.arange(len(y)), e / s
        losses = np.log(s[:, 0]) + (m[:, 0] - x[rows, y])
    g = p.copy()
    g[rows, y] -= 1
    return losses, g, p


def mean(losses: Array, g: Array) -> Any:
    with np.errstate(all="ignore"):
        return losses.mean(dtype=losses.dtype), g / g.dtype.type(max(len(g), 1))


def right(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    return mean(losses, g)


def in_rows(which: Which, change: Callable[[Array], Array] = lambda g: g * g.dtype.type(1.01)) -> Function:
    """The gradient of some rows changed."""

    def wrong(x: Array, y: Array) -> Any:
        losses, g, _ = parts(x, y)
        marks = np.broadcast_to(which(x, y), (len(y),)) if len(y) else np.zeros(0, dtype=bool)
        return mean(losses, np.where(marks[:, None], change(g), g))

    return wrong
