"""Running error analysis: numbers that carry where the exact value lies and how far a computed one may be from it.

N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, section 3.3: along with each value goes a
bound on the error made so far, and every operation adds its own. Here the exact value is known to lie in an interval,
[low, high], over all inputs that are meant, and |computed - exact| <= error for each of them. With a, b the exact
values, e, f their errors, |.| the largest size in the interval, what reaches a result from its operands is

    a + b, a - b: e + f         a b: |a| f + |b| e + e f        a / b: (e + |a/b| f)/(|b| - f), |b| the least size
    exp a: e exp(a + e)         log a: e/(a - e)                tanh a: e (1 - tanh^2) at its point nearest to 0, or 2

and the result's own rounding comes on top, relative to what is computed: 2 for an operation, which may be written as
two (a reciprocal and a product, a constant rounded before it is used), and 2 beta more for a function; eta for
underflow in each. What may overflow has an infinite error. The intervals are computed in float64 and widened by a few
of its roundings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from gradlab.bounds.rounding_counts import BETA, gamma
from gradlab.problems.dtypes import Format
from gradlab.problems.problem import Array

_OPERATION = 2.0
_FUNCTION = 2.0 + 2 * BETA
_WIDENING = 2.0**-49  # NumPy's own functions in float64, and one rounding

Parts = tuple[Array, Array, Array]


@dataclass(frozen=True, eq=False)
class Bounded(NDArrayOperatorsMixin):
    """Numbers with low <= exact <= high and |computed - exact| <= error in a format; arrays of one shape."""

    low: Array
    high: Array
    error: Array
    fmt: Format

    @property
    def size(self) -> Array:
        """The largest size of the exact value."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        rule = _RULES.get(ufunc)
        if method != "__call__" or keywords or rule is None:
            return NotImplemented
        with np.errstate(all="ignore"):
            parts, roundings = rule(*(_as_bounded(one, self.fmt) for one in inputs))
            return _round(parts, roundings, self.fmt)

    def summed(self, roundings: float) -> Bounded:
        """The sum of each row, a column; its additions carry so many roundings."""
        parts = (part.sum(axis=1, keepdims=True) for part in (self.low, self.high, self.error))
        low, high, error = parts
        sizes = (self.size + self.error).sum(axis=1, keepdims=True)
        count = self.size.shape[1]  # of roundings of the sums of the ends, in float64
        wide = count * _WIDENING * self.size.sum(axis=1, keepdims=True)
        return Bounded(low - wide, high + wide, error + gamma(roundings, self.fmt) * sizes, self.fmt)


def parameter(value: float, fmt: Format) -> Bounded:
    """A number of the caller's, which the computation rounds to the format, or to a reciprocal there."""
    exact = np.asarray(value)
    return Bounded(exact, exact, gamma(_OPERATION, fmt) * np.abs(exact) + fmt.smallest_subnormal, fmt)


def _as_bounded(value: Any, fmt: Format) -> Bounded:
    if isinstance(value, Bounded):
        return value
    exact = np.asarray(value, dtype=np.float64)
    return Bounded(exact, exact, np.zeros(()), fmt)


def _round(parts: Parts, roundings: float, fmt: Format) -> Bounded:
    low, high, error = parts
    least = np.finfo(np.float64).smallest_subnormal
    low = np.where(np.isfinite(low), low - np.abs(low) * _WIDENING - least, low)
    high = np.where(np.isfinite(high), high + np.abs(high) * _WIDENING + least, high)
    size = np.maximum(np.abs(low), np.abs(high))
    own = gamma(roundings, fmt) * (size + error) + _OPERATION * fmt.smallest_subnormal if roundings else 0.0
    error = np.nan_to_num(error + own, nan=np.inf, posinf=np.inf)
    return Bounded(low, high, np.where(size + error > fmt.largest, np.inf, error), fmt)


def _add(a: Bounded, b: Bounded) -> tuple[Parts, float]:
    return (a.low + b.low, a.high + b.high, a.error + b.error), _OPERATION


def _subtract(a: Bounded, b: Bounded) -> tuple[Parts, float]:
    return (a.low - b.high, a.high - b.low, a.error + b.error), _OPERATION


def _negate(a: Bounded) -> tuple[Parts, float]:
    return (-a.high, -a.low, a.error), 0.0


def _multiply(a: Bounded, b: Bounded) -> tuple[Parts, float]:
    error = a.size * b.error + b.size * a.error + a.error * b.error
    return (*_hull(a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high), error), _OPERATION


def _divide(a: Bounded, b: Bounded) -> tuple[Parts, float]:
    """Infinite where the divisor may be 0. A reciprocal that may be subnormal is off by eta more, times a."""
    least = np.where((b.low > 0) | (b.high < 0), np.minimum(np.abs(b.low), np.abs(b.high)), 0.0)
    quotient, room = a.size / least, least - b.error
    reciprocal = np.where(b.size * b.fmt.smallest_normal > 1, b.fmt.smallest_subnormal * (a.size + a.error), 0.0)
    error = np.where(room > 0, (a.error + quotient * b.error) / room + reciprocal, np.inf)
    low, high = _hull(a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high)
    return (np.where(least > 0, low, -np.inf), np.where(least > 0, high, np.inf), error), _OPERATION


def _exp(a: Bounded) -> tuple[Parts, float]:
    return (np.exp(a.low), np.exp(a.high), a.error * np.exp(a.high + a.error)), _FUNCTION


def _log(a: Bounded) -> tuple[Parts, float]:
    room = a.low - a.error
    return (np.log(a.low), np.log(a.high), np.where(room > 0, a.error / room, np.inf)), _FUNCTION


def _log1p(a: Bounded) -> tuple[Parts, float]:
    room = 1 + a.low - a.error
    return (np.log1p(a.low), np.log1p(a.high), np.where(room > 0, a.error / room, np.inf)), _FUNCTION


def _tanh(a: Bounded) -> tuple[Parts, float]:
    nearest = np.maximum(np.maximum(a.low - a.error, -(a.high + a.error)), 0.0)
    steepest = np.cosh(nearest) ** -2.0  # 0 where cosh is beyond float64
    return (np.tanh(a.low), np.tanh(a.high), np.minimum(a.error * steepest, 2.0)), _FUNCTION


def _hull(*values: Array) -> tuple[Array, Array]:
    return np.minimum.reduce(np.broadcast_arrays(*values)), np.maximum.reduce(np.broadcast_arrays(*values))


_RULES: dict[Any, Callable[..., tuple[Parts, float]]] = {
    np.add: _add,
    np.subtract: _subtract,
    np.multiply: _multiply,
    np.divide: _divide,
    np.negative: _negate,
    np.exp: _exp,
    np.log: _log,
    np.log1p: _log1p,
    np.tanh: _tanh,
}
