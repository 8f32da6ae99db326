"""Whether an array still holds the bits that it held."""

from __future__ import annotations

import numpy as np

from gradlab.problems.problem import Array


def is_as_before(after: Array, before: Array) -> bool:
    """Whether an array that was handed over has the shape and the bits that it had."""
    return after.shape == before.shape and np.array_equal(_bits(after), _bits(before))


def _bits(array: Array) -> Array:
    """Its bits as integers, of its own size where there are such; no copy of an array that lies in C order."""
    size = array.dtype.itemsize if array.dtype.itemsize in (1, 2, 4, 8) else 1
    return np.ascontiguousarray(array).reshape(-1).view(f"u{size}")
