"""The ends of enclosures in float64, rounded outwards."""

from __future__ import annotations

import numpy as np

from gradlab.oracle.intervals import Array, Enclosures


def ends_of(values: Enclosures) -> tuple[Array, Array]:
    """Lower and upper bounds of the enclosures in float64, rounded outwards; equal where float64 holds the value."""
    exact = (values.low == 0) & (values.radius == 0)
    lower = _shift(values.high + (values.low - values.radius), values, -np.inf)
    upper = _shift(values.high + (values.low + values.radius), values, np.inf)
    whole = _scale(values.high, values.exponent)
    exact &= (np.abs(whole) >= np.finfo(np.float64).tiny) | (values.high == 0) | ~np.isfinite(values.high)
    exact &= np.isfinite(whole) | ~np.isfinite(values.high)
    return np.where(exact, whole, lower), np.where(exact, whole, upper)


def _shift(ends: Array, values: Enclosures, towards: float) -> Array:
    """The ends, rounded once, at the values' scale. Two steps outwards: a rounding here, and one among subnormals."""
    stepped = np.nextafter(ends, towards)
    return np.asarray(np.nextafter(_scale(stepped, values.exponent), towards))


def _scale(numbers: Array, exponents: Array) -> Array:
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(numbers, np.clip(exponents, -5000, 5000)))
