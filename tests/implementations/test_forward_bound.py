"""Every entry of every implementation but the textbook's lies within the bound of the standard shifted algorithm."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

BETA = 4  # the error of exp in ULP that the bound allows


def families(dtype: str) -> dict[str, Any]:
    """Logits (2, 24) that strain a shift, a sum or the range of the dtype."""
    rng = np.random.default_rng(2)
    largest = float(np.finfo(dtype).max)
    tiny = float(np.finfo(dtype).smallest_subnormal)
    shape = (2, 24)
    return {
        "moderate": rng.uniform(-10, 10, shape),
        "wide": rng.uniform(-700, 700, shape),
        "offset": 2.0**30 + 64 * rng.integers(-4, 4, shape),
        "largest offset": largest * (1 - rng.integers(0, 3, shape) * np.finfo(dtype).eps),
        "extreme": rng.uniform(-1, 1, shape) * largest,
        "equal": np.full(shape, 1e8),
        "rising": np.cumsum(rng.uniform(0, 1e-3, shape), axis=1),
        "subnormal logits": rng.integers(-9, 9, shape) * tiny,
    }


def bound(row: Any, p: list[Any], gradient: list[Any]) -> list[Any]:
    """u (n + 4 beta + 2 abs(x_j - m)) p_j + 2 u abs(g_j) + 2 subnormals: one rounding of g_j, one of the division."""
    info = np.finfo(row.dtype)
    unit, subnormal = mpmath.mpf(float(info.eps)) / 2, mpmath.mpf(float(info.smallest_subnormal))
    distance = [mpmath.mpf(float(row.max())) - mpmath.mpf(float(value)) for value in row]
    return [
        unit * (len(row) + 4 * BETA + 2 * d) * q + 2 * unit * abs(g) + 2 * subnormal
        for d, q, g in zip(distance, p, gradient, strict=True)
    ]


@pytest.mark.parametrize("family", families("float64"))
def test_every_entry_is_within_the_bound(stable: Any, dtype: str, family: str, exact_row: Any) -> None:
    logits = families(dtype)[family].astype(dtype)
    labels = np.array([int(logits[0].argmax()), 3])
    _, gradient = stable.function(logits, labels)
    with mpmath.workdps(60):
        for row, label, observed in zip(logits, labels, gradient, strict=True):
            _, true, p = exact_row(row, int(label))
            allowed = bound(row, p, true)
            ratios = [
                abs(2 * mpmath.mpf(float(o)) - t) / a for o, t, a in zip(observed, true, allowed, strict=True)
            ]  # the mean of two rows halves every gradient
            assert max(ratios) <= 1
