"""Arrays of certified intervals, with an exponent range of their own so that nothing underflows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

SMALLEST_EXPONENT = -(2**40)  # below it a value is enclosed as 0 +- 2^SMALLEST_EXPONENT
LARGEST_EXPONENT = 2**40  # above it nothing is known: no exact answer comes near, see `balls`
LARGEST_PRINTED = 20_000  # the exponent beyond which a value is not printed in decimal
_DIGITS = 17  # decimal digits of a value in a report: as many as identify a float64


@dataclass(frozen=True, eq=False)
class Enclosures:
    """Certified intervals (high + low +- radius) 2^exponent, elementwise; four arrays of one shape.

    high, low, radius: float64; exponent: int64. 1 <= |high| < 2, |low| at most half a unit in the last place of
    high, radius >= 0. A value that may be 0, or that is too small to be told from it, has high = low = 0.
    Where the domain rules ask for an infinity or NaN, high is that, and low, radius and exponent are 0.
    """

    high: Array
    low: Array
    radius: Array
    exponent: Array

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.high.shape)

    def __getitem__(self, index: Any) -> Enclosures:
        parts = (np.asarray(part[index]) for part in (self.high, self.low, self.radius, self.exponent))
        return Enclosures(*parts)

    def nearest(self) -> Array:
        """The midpoints in float64; 0 or infinite where float64 cannot hold them.

        Correctly rounded among the normal numbers; within one unit in the last place among the subnormal ones.
        """
        with np.errstate(over="ignore", under="ignore"):
            return ldexp(self.high, self.exponent)

    def describe(self, index: Any = ()) -> str:
        """The interval at `index` as text: a decimal number and how far the exact value may be from it, or 0.

        As many digits of the number as the interval is narrow, up to 17; together they contain the interval.
        """
        high, low, radius = (float(part[index]) for part in (self.high, self.low, self.radius))
        if not np.isfinite(high):
            return str(high)
        exponent = int(self.exponent[index])
        if abs(exponent) > LARGEST_PRINTED:
            return f"0 \u00b1 2^{exponent + 1}" if exponent < 0 else f"{high!r} * 2^{exponent}"
        scale = Fraction(2) ** exponent
        return _format((Fraction(high) + Fraction(low)) * scale, Fraction(radius) * scale)


def ldexp(values: Array | float, exponent: Array) -> Array:
    """values 2^exponent in float64, for values that 2^5000 makes infinite and 2^-5000 makes 0."""
    return np.asarray(np.ldexp(values, np.minimum(np.maximum(exponent, -5000), 5000).astype(np.int32)))


def power_of_two(exponent: Array) -> Array:
    """2^exponent in float64, for exponents of normal numbers."""
    return np.ldexp(1.0, exponent.astype(np.int32))


def normalise(high: Array, low: Array, radius: Array, exponent: Array) -> Enclosures:
    """The same intervals with 1 <= |high| < 2. high + low must round to high; all parts finite."""
    return Enclosures(*normalised_parts(high, low, radius, exponent))


def normalised_parts(high: Array, low: Array, radius: Array, exponent: Array) -> tuple[Array, Array, Array, Array]:
    """The four parts of `normalise`."""
    fraction, shift = np.frexp(high)
    shift = shift - (fraction != 0)
    with np.errstate(over="ignore"):  # a radius that is too large beside high becomes infinite, which is true of it
        widened = np.ldexp(radius, -shift)
    return fraction * 2.0, np.ldexp(low, -shift), widened, exponent + shift.astype(np.int64)


def constant(value: float, shape: tuple[int, ...]) -> Enclosures:
    """`value` everywhere, exactly; the value is 0, an infinity or NaN. The arrays are writeable."""
    zeros = (np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.int64))
    return Enclosures(np.full(shape, value), *zeros)


def unwritten(shape: tuple[int, ...]) -> Enclosures:
    """Intervals to be written, every one of them, before they are read."""
    high, low, radius, exponent = np.empty((4, *shape))  # in one piece: NumPy asks for huge pages from 4 MiB on
    return Enclosures(high, low, radius, exponent.view(np.int64))


def fill(target: Enclosures, index: Any, source: Enclosures | float) -> None:
    """Write `source` (or an exact 0, infinity or NaN) into `target` at `index`, in place."""
    if isinstance(source, float):
        source = constant(source, ())
    target.high[index] = source.high
    target.low[index] = source.low
    target.radius[index] = source.radius
    target.exponent[index] = source.exponent


def concatenate(parts: list[Enclosures]) -> Enclosures:
    """The intervals of all parts, along the first axis."""
    columns = zip(*((p.high, p.low, p.radius, p.exponent) for p in parts), strict=True)
    return Enclosures(*(np.concatenate(column) for column in columns))


def _format(middle: Fraction, radius: Fraction) -> str:
    """A decimal number near the middle and a bound, rounded up, of how far the interval reaches from it."""
    digits = _DIGITS if radius == 0 or middle == 0 else len(str(int(abs(middle) / radius))) + 1
    text = _decimal(middle, min(max(digits, 3), _DIGITS), ROUND_HALF_EVEN)
    reach = radius + abs(Fraction(text) - middle)
    if reach == 0:
        return text
    return f"{text} \u00b1 {_decimal(reach, 1, ROUND_CEILING)}"


def _decimal(value: Fraction, digits: int, rounding: str) -> str:
    context = Context(prec=digits, rounding=rounding, Emin=MIN_EMIN, Emax=MAX_EMAX)
    return f"{context.divide(Decimal(value.numerator), Decimal(value.denominator)).normalize(context)}".lower()
