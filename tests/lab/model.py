"""The arithmetic that the lab states, written again: NumPy's operations, and functions by ball arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, ctx

from gradlab.problems.dtypes import Format

BITS = 220
Number = Any  # a NumPy scalar of the format
Array = np.ndarray[Any, np.dtype[Any]]


def nearest(ball: arb, fmt: Format) -> float:
    """The number of the format nearest to the middle of a ball, ties to even, as a float64."""
    mantissa, exponent = ball.mid().man_exp()
    whole, power = int(mantissa), int(exponent)
    return nearest_to_fraction(Fraction(whole << max(power, 0), 1 << max(-power, 0)), fmt)


def nearest_to_fraction(value: Fraction, fmt: Format) -> float:
    """The number of the format nearest to a fraction, ties to even, as a float64."""
    if value == 0:
        return 0.0
    binade = value.numerator.bit_length() - value.denominator.bit_length()
    binade -= abs(value) < Fraction(2) ** binade
    last = max(binade, fmt.min_exponent) - fmt.precision + 1
    quotient = round(abs(value) / Fraction(2) ** last)  # Fraction rounds ties to even
    overflows = quotient.bit_length() + last > 1024 or math.ldexp(quotient, last) > fmt.largest
    size = math.inf if overflows else math.ldexp(quotient, last)
    return -size if value < 0 else size


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """A context in which balls have so many bits."""
    before, ctx.prec = ctx.prec, bits
    try:
        yield
    finally:
        ctx.prec = before


def rounded(function: Callable[[arb], arb], x: Number, fmt: Format) -> Number:
    """function(x), correctly rounded, for a finite x; a scalar of the format."""
    with precision(BITS):
        return fmt.dtype.type(nearest(function(arb(float(x))), fmt))


class Operations:
    """exp, log and their like on numbers of a format, correctly rounded; sums from the first to the last."""

    def __init__(self, fmt: Format) -> None:
        self.fmt = fmt
        self.zero = fmt.dtype.type(0)

    def exp(self, x: Number) -> Number:
        if not np.isfinite(x):
            return np.exp(x)
        if float(x) > 2**20 or float(x) < -(2**20):
            return self.fmt.dtype.type(math.inf if x > 0 else 0)
        return rounded(lambda ball: ball.exp(), x, self.fmt)

    def log(self, x: Number) -> Number:
        if not np.isfinite(x) or x <= 0:
            return np.log(x)
        return rounded(lambda ball: ball.log(), x, self.fmt)

    def log1p(self, x: Number) -> Number:
        return rounded(lambda ball: ball.log1p(), x, self.fmt) if np.isfinite(x) and x > -1 else np.log1p(x)

    def sum(self, values: Array) -> Number:
        total = self.zero
        for value in values:
            total = total + value
        return total


def loss_and_gradient(form: str, x: Array, label: int, fmt: Format) -> tuple[Number, Array]:
    """The loss and the gradient of one row in a form, in this arithmetic."""
    with np.errstate(all="ignore"):
        return FORMS[form](x, label, Operations(fmt))


def _textbook(x: Array, label: int, to: Operations) -> tuple[Number, Array]:
    e = np.array([to.exp(one) for one in x])
    p = e / to.sum(e)
    return -to.log(p[label]), _less_one(p, label)


def _shifted(x: Array, label: int, to: Operations) -> tuple[Number, Array]:
    d = x - x.max()
    e = np.array([to.exp(one) for one in d])
    s = to.sum(e)
    return to.log(s) - d[label], _less_one(e / s, label)


def _log_space(x: Array, label: int, to: Operations) -> tuple[Number, Array]:
    d = x - x.max()
    q = d - to.log(to.sum(np.array([to.exp(one) for one in d])))
    return -q[label], _less_one(np.array([to.exp(one) for one in q]), label)


def _complement(x: Array, label: int, to: Operations) -> tuple[Number, Array]:
    e = np.array([to.exp(one) for one in x - x.max()])
    others = to.sum(np.array([to.zero if j == label else one for j, one in enumerate(e)]))
    s = others + e[label]
    behind = x.max() - x[label]
    loss = to.log1p(others) if behind == 0 else behind + to.log(s)
    p = e / s
    entry = -(others / s) if p[label] > 0.5 else p[label] - x.dtype.type(1)
    p[label] = entry
    return loss, p


def _less_one(p: Array, label: int) -> Array:
    p[label] -= p.dtype.type(1)
    return p


FORMS: dict[str, Callable[[Array, int, Operations], tuple[Number, Array]]] = {
    "textbook": _textbook,
    "shifted": _shifted,
    "log-space": _log_space,
    "complement": _complement,
}
