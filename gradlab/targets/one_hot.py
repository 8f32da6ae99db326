"""A function of one-hot rows as one of labels."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.problems.problem import Array


def as_one_hot(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with labels turned into one-hot rows (N, K) in the logits' dtype.

    Raises ValueError, when called, for labels that are no integers in [0, K), or not one for each row.
    """

    @functools.wraps(function)
    def with_labels(logits: Array, labels: Array, **keywords: Any) -> Any:
        return function(logits, _rows(logits, np.asarray(labels)), **keywords)

    return with_labels


def _rows(logits: Array, labels: Array) -> Array:
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(f"labels must have shape {logits.shape[:1]}, got {labels.shape}")
    if labels.size and not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be integers, got {labels.dtype}")
    labels = labels.astype(np.int64)
    n_classes = logits.shape[1]
    if ((labels < 0) | (labels >= n_classes)).any():
        raise ValueError(f"labels must lie in [0, {n_classes})")
    rows = np.zeros(logits.shape, dtype=logits.dtype)
    rows[np.arange(len(labels)), labels] = 1
    return rows
