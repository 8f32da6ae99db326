"""float32 in and out, float64 inside: rounded once, at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._inputs import Array, checked
from .complement import complement

__all__ = ["widened"]

CLAIMS = {
    "dtypes": ["float32", "float64"],
    "refuses_bad_labels": True,
    "empty_batch": True,
    "keeps_dtype": True,
    "big_endian": True,
}


def widened(logits: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Any, Array]:
    """The mean loss and its gradient, computed in float64 by the complement form and rounded to the logits' dtype.

    logits (N, K), labels (N,); the loss is a scalar and the gradient (N, K), both in the dtype of the logits.
    In float32 both are within 0.51 ULP of the exact values.

    Breaks: float64 logits get nothing wider, only the complement form, which is off by up to 512 ULP where max x - x_j
    exceeds 512. For float32 logits the copies in float64 take twice their memory each.
    """
    logits, labels = checked(logits, labels)
    loss, gradient = complement(logits.astype(np.float64), labels)
    with np.errstate(over="ignore"):  # a loss beyond the largest float32 is inf
        return loss.astype(logits.dtype), gradient.astype(logits.dtype)
