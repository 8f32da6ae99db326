"""`upstream:file.py:loss`: one loss for each row, and a backward pass that takes the gradient from above.

The function, of (logits, targets), returns the losses (N,) and a function `backward(upstream)`, which takes the
derivative of whatever comes after by each loss, (N,), and returns that by the logits, (N, K). The reduction is made
here.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradlab.adapters.callables import Found, callable_for, standing_for
from gradlab.evaluation import pair_of
from gradlab.problems.problem import Array

SCALES = (1.0, 4.0, 2.0)  # of the rows, in turn: a backward pass that takes the first row's for all is seen

Loss = Callable[[Array, Array], Any]


def found(rest: str, target: str) -> Found:
    """What a target `upstream:rest` stands for. Raises TargetError where that is nothing."""
    given = callable_for(("upstream", ()), rest)
    loss = given.function

    def call(logits: Array, targets: Array, reduction: str = "mean", **options: Any) -> tuple[Any, Any]:
        return loss_and_gradient(partial(loss, **options), (logits, targets), reduction)

    standing = standing_for(given, call, {"reduction": ("mean", "none", "sum")})
    with contextlib.suppress(TypeError, ValueError):  # a callable whose signature is not known
        call.__signature__ = _with_reduction(inspect.signature(loss))  # type: ignore[attr-defined]  # of any function
    return standing


def _with_reduction(signature: inspect.Signature) -> inspect.Signature:
    """The signature with a keyword `reduction`, which the adapter takes."""
    added = inspect.Parameter("reduction", inspect.Parameter.KEYWORD_ONLY, default="mean")
    given = signature.parameters.values()
    rest = [one for one in given if one.kind is not inspect.Parameter.VAR_KEYWORD]
    ending = [one for one in given if one.kind is inspect.Parameter.VAR_KEYWORD]
    return signature.replace(parameters=[*rest, added, *ending])


def loss_and_gradient(loss: Loss, arrays: tuple[Array, Array], reduction: str) -> tuple[Any, Any]:
    """The reduced loss and its gradient (N, K); arrays: logits and targets.

    What comes from above is that of the reduction times a power of two of each row's own, by which the row's gradient
    is divided again: exact, but for a rounding of what is then subnormal. Raises TypeError or ValueError for what does
    not fit, such as a gradient that stays the same where what comes from above changes.
    """
    logits = arrays[0]
    plain = np.ones(len(logits), logits.dtype)
    if reduction == "mean" and len(logits):
        plain /= logits.dtype.type(len(logits))
    scales = np.resize(np.array(SCALES), len(logits)).astype(logits.dtype)
    _, even = _forward_and_backward(loss, (arrays[0].copy(), arrays[1].copy()), plain)
    losses, scaled = _forward_and_backward(loss, arrays, plain * scales)
    others = scaled[scales != 1]
    if np.array_equal(even, scaled, equal_nan=True) and bool((np.isfinite(others) & (others != 0)).any()):
        raise ValueError("backward must multiply each row by its upstream gradient, gave the same for others")
    reduced = losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()
    return reduced, scaled / scales[:, None]


def _forward_and_backward(loss: Loss, arrays: tuple[Array, Array], upstream: Array) -> tuple[Array, Array]:
    """The losses (N,) and the gradient (N, K), each backward pass after a forward pass of its own."""
    shape = arrays[0].shape
    pair = pair_of(loss(*arrays))
    if pair is None or not callable(pair[1]):
        raise TypeError("a loss with an upstream gradient must return (losses, backward)")
    losses, gradient = np.asarray(pair[0]), np.asarray(pair[1](upstream))
    if losses.shape != shape[:1]:
        raise ValueError(f"the losses must have shape {shape[:1]}, got {losses.shape}")
    if gradient.shape != shape:
        raise ValueError(f"backward must return an array of shape {shape}, got {gradient.shape}")
    return losses, gradient
