"""Labels as one-hot rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.problems.problem import Array, Shape


def one_hot_rows(labels: Any, shape: Shape, dtype: np.dtype[Any]) -> Array:
    """The one-hot rows (N, K) of labels (N,), in the dtype.

    Raises ValueError for labels that are no integers in [0, K), or not one for each row.
    """
    labels = np.asarray(labels)
    if labels.shape != shape[:1]:
        raise ValueError(f"labels must have shape {shape[:1]}, got {labels.shape}")
    if labels.size and not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be integers, got {labels.dtype}")
    labels = labels.astype(np.int64)
    if ((labels < 0) | (labels >= shape[1])).any():
        raise ValueError(f"labels must lie in [0, {shape[1]})")
    rows = np.zeros(shape, dtype=dtype)
    rows[np.arange(len(labels)), labels] = 1
    return rows
