"""What every implementation asks of its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_COMMON = (np.dtype(np.float32), np.dtype(np.float64))  # the name of a dtype takes long to make


def checked(logits: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Array, Array]:
    """The logits, shape (N, K), in native byte order, and the labels, shape (N,), as indices.

    Neither is copied unless its byte order or its integer type has to change.
    Raises TypeError where a dtype does not fit, ValueError where a shape does not or a label is outside [0, K).
    """
    logits = checked_logits(logits)
    return logits, checked_labels(labels, logits)


def checked_logits(logits: npt.ArrayLike) -> Array:
    """The logits, shape (N, K) with K >= 1, in native byte order."""
    array = np.asarray(logits)
    if array.dtype not in _COMMON and array.dtype.name not in _FLOATS:
        raise TypeError(f"logits must be one of {', '.join(_FLOATS)}, got {array.dtype}")
    if array.ndim != 2 or array.shape[1] < 1:
        raise ValueError(f"logits must have shape (N, K) with K at least 1, got {array.shape}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def checked_labels(labels: npt.ArrayLike, logits: Array) -> Array:
    """The labels as indices into the rows of the logits, shape (N,)."""
    array = np.asarray(labels)
    n_rows, n_classes = logits.shape
    if array.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got {array.dtype}")
    if array.shape != (n_rows,):
        raise ValueError(f"labels must have shape ({n_rows},), got {array.shape}")
    indices = array.astype(np.intp, copy=False)
    unsigned = indices.view(np.uintp)  # where a negative number is a large one
    if n_rows and np.maximum.reduce(unsigned) >= n_classes:
        outside = array[(array < 0) | (array >= n_classes)][0]
        raise ValueError(f"labels must lie in [0, {n_classes}), got {outside}")
    return indices


def checked_reduction(reduction: str) -> str:
    """The reduction: "none", "mean" or "sum". Raises ValueError for any other."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"reduction must be none, mean or sum, got {reduction!r}")
    return reduction
