"""`class-axis:1:file.py:loss`, `class-axis:-1:file.py:loss`: logits of four dimensions, with an axis of classes.

With 1 the logits have shape (A, K, B, C), with -1 (A, B, C, K), and labels (A, B, C); the rows of a problem are laid
out in that order, in as many dimensions as their number has factors, up to three.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.evaluation.foreign import pair_of
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for, standing_for
from gradlab.targets.importing import TargetError

AXES = {"1": 1, "-1": -1}

Shape = tuple[int, int, int]


def resolve(reference: str, target: str) -> Found:
    """What a target `class-axis:reference` stands for. Raises TargetError where that is nothing."""
    written, _, place = reference.partition(":")
    if written not in AXES:
        raise TargetError(f"{target} must be {' or '.join(AXES)} after class-axis:, and then file.py:callable")
    given = callable_for(f"class-axis:{written}", (), place)
    loss, axis = given.function, AXES[written]

    def call(logits: Array, targets: Array, **options: Any) -> tuple[Any, Any]:
        return loss_and_gradient(loss, logits, targets, options, axis)

    return standing_for(given, call, {})


def loss_and_gradient(loss: Any, logits: Array, targets: Array, options: dict[str, Any], axis: int) -> tuple[Any, Any]:
    """The loss and the gradient (N, K), asked for in more dimensions; what is done to the logits is done to them here.

    logits: (N, K). axis: that of the classes. Raises ValueError for shapes that do not fit.
    """
    if logits.ndim != 2:
        raise ValueError(f"logits must have shape (N, K), got {logits.shape}")
    sizes, given = spread(len(logits)), targets
    x = _spread(logits, sizes, axis)
    t = _spread(given, sizes, axis) if given.ndim == 2 else given.reshape(sizes)
    before = x.copy()
    answer = loss(x, t, **options)
    if before.tobytes() != x.tobytes():
        logits[...] = _with_class_axis_last(x, axis)
    pair = pair_of(answer)
    if pair is None:
        raise TypeError("a loss must return (loss, gradient)")
    value, gradient = np.asarray(pair[0]), np.asarray(pair[1])
    if gradient.shape != x.shape:
        raise ValueError(f"the gradient must have shape {x.shape}, got {gradient.shape}")
    return value.reshape(-1) if value.shape == sizes else value, _with_class_axis_last(gradient, axis)


def spread(count: int) -> Shape:
    """Three sizes whose product is count, 0 rows as (0, 1, 1); the smallest factors come last.

    >>> spread(12), spread(7), spread(1)
    ((3, 2, 2), (7, 1, 1), (1, 1, 1))
    """
    sizes = []
    for _ in range(2):
        sizes.append(next((factor for factor in range(2, int(count**0.5) + 1) if count % factor == 0), 1))
        count //= sizes[-1]
    return count, sizes[1], sizes[0]


def _spread(rows: Array, sizes: Shape, axis: int) -> Array:
    return np.ascontiguousarray(np.moveaxis(rows.reshape(*sizes, rows.shape[1]), -1, axis))


def _with_class_axis_last(values: Array, axis: int) -> Array:
    moved = np.moveaxis(values, axis, -1)
    return np.asarray(moved.reshape(-1, moved.shape[-1]))
