"""Round numbers."""

from __future__ import annotations

import math

import numpy as np


def roundest_between(right: float, wrong: float) -> float:
    """The roundest number t with right < t <= wrong: 0, a power of two, or one of few digits."""
    if right < 0 < wrong or wrong == 0:
        return 0.0
    if not (np.isfinite(right) and np.isfinite(wrong)) or abs(wrong) < 1e-280 or abs(right) < 1e-280:
        return wrong
    sign, low, high = (1, right, wrong) if wrong > 0 else (-1, -wrong, -right)
    for digits in range(1, 17):
        step = 10.0 ** (math.floor(math.log10(high)) - digits + 1)
        t = math.floor(high / step * (1 + 1e-12)) * step
        t = float(f"{t:.{digits}g}")
        inside = low < t <= high if sign == 1 else low <= t < high
        if inside and right < sign * t <= wrong:
            return sign * t
    return wrong
