"""All kernels of the compiled implementations: those over rows, and two over what is given and returned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import boolean, float32, float64, intp

from ._accurate_rows import accurate_rows
from ._elementary import two_sum
from ._fast_rows import fast_rows
from ._keeping import LABELS, keep

__all__ = ["accurate_rows", "all_below", "fast_rows", "sum_over"]


@keep([boolean(LABELS, intp)])
def all_below(labels: Any, n_classes: Any) -> Any:
    """Whether all labels lie in [0, n_classes)."""
    inside = True
    for label in labels:
        inside &= (label >= 0) & (label < n_classes)
    return inside


@keep([kind(float64[::1], float64, kind) for kind in (float32, float64)])
def sum_over(losses: Any, divisor: Any, zero: Any) -> Any:
    """sum(losses) / divisor for losses >= 0, to 3 roundings, in the precision of zero; inf only where the quotient is.

    zero: 0.
    """
    largest = 0.0
    for loss in losses:
        largest = max(largest, loss)
    scale = 1.0 if largest < 2.0**900 else 2.0**-120
    total, rest = 0.0, 0.0
    for loss in losses:
        total, error = two_sum(total, loss * scale)
        rest += error
    return type(zero)((total + (rest if total < np.inf else 0.0)) / divisor / scale)
