"""`upstream:file.py:loss`: one loss for each row, and a backward pass that takes the upstream gradient.

The function, of (logits, targets), returns the losses (N,) and a function `backward(upstream)`, which takes the
derivative of whatever comes after by each loss, (N,), and returns that by the logits, (N, K). The reduction is made
here; and the upstream gradient is the option `upstream`, which is claimed for it, so that a backward pass that takes
the first row's number for all, or none at all, is seen.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gradlab.adapters.differentiation import with_keywords
from gradlab.evaluation.foreign import pair_of
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for, standing_for

Loss = Callable[[Array, Array], Any]
KEYWORDS = {"reduction": "mean", "upstream": None}


def resolve(reference: str, target: str) -> Found:
    """What a target `upstream:reference` stands for. Raises TargetError where that is nothing."""
    given = callable_for("upstream", (), reference)
    loss = given.function

    def call(
        logits: Array, targets: Array, reduction: str = "mean", upstream: Array | None = None, **options: Any
    ) -> tuple[Any, Any]:
        upstream = _reduction_gradient(logits, reduction) if upstream is None else upstream
        return loss_and_gradient(partial(loss, **options), logits, targets, reduction, upstream)

    standing = standing_for(given, call, {"reduction": ("mean", "none", "sum")})
    with contextlib.suppress(TypeError, ValueError):  # a callable whose signature is not known
        call.__signature__ = with_keywords(inspect.signature(loss), KEYWORDS)  # type: ignore[attr-defined]  # of any function
    return replace(standing, takes=("upstream",))


def loss_and_gradient(loss: Loss, logits: Array, targets: Array, reduction: str, upstream: Array) -> tuple[Any, Any]:
    """The reduced loss and its gradient (N, K); upstream: the upstream gradient, (N,).

    Raises TypeError or ValueError for what does not fit.
    """
    shape = logits.shape
    pair = pair_of(loss(logits, targets))
    if pair is None or not callable(pair[1]):
        raise TypeError("a loss with an upstream gradient must return (losses, backward)")
    losses, gradient = np.asarray(pair[0]), np.asarray(pair[1](upstream))
    if losses.shape != shape[:1]:
        raise ValueError(f"the losses must have shape {shape[:1]}, got {losses.shape}")
    if gradient.shape != shape:
        raise ValueError(f"backward must return an array of shape {shape}, got {gradient.shape}")
    reduced = losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()
    return reduced, gradient


def _reduction_gradient(logits: Array, reduction: str) -> Array:
    """The derivative of the reduced loss by each row's."""
    ones = np.ones(len(logits), logits.dtype)
    return ones / logits.dtype.type(len(logits)) if reduction == "mean" and len(logits) else ones
