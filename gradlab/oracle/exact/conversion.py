"""Between flint's balls and arrays of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from flint import arb

from gradlab.oracle.intervals import LARGEST_EXPONENT, SMALLEST_EXPONENT, Array, Enclosures, normalise

_PLAIN = (2.0**-600, 2.0**100)  # sizes of which high, low and radius are float64 without a scale
_SMALLEST_RADIUS = 2.0**-900  # far below 2^-20 ULP of what is plain, far above what float64 loses when it underflows
_ROUND_UP = 1 + 2.0**-50


def to_enclosures(balls: Sequence[arb]) -> Enclosures:
    """The balls as intervals, shape (len(balls),); each contains its ball and is hardly wider.

    high is the float64 nearest to the midpoint, low the float64 nearest to the rest; rounding low, by at most
    2^-53 |low|, goes into the radius. A ball that is not finite, or reaches beyond 2^LARGEST_EXPONENT, gets an infinite
    radius: at a low precision exp of a difference of large logits can be off by more than an int64 counts binades.
    """
    high = [float(ball) for ball in balls]
    sizes = np.abs(high)
    if ((sizes > _PLAIN[0]) & (sizes < _PLAIN[1])).all():
        rest = [ball - part for ball, part in zip(balls, high, strict=True)]
        low, radius, exponent = [float(part) for part in rest], _radii(rest), np.zeros(len(high), dtype=np.int64)
    else:
        pieces = [_pieces(ball) for ball in balls]
        high, low, radii, exponents = (list(column) for column in zip(*pieces, strict=True))
        radius, exponent = np.array(radii), np.array(exponents, dtype=np.int64)
    widened = (radius + np.abs(low) * 2.0**-53) * _ROUND_UP
    return normalise(np.array(high), np.array(low), widened, exponent)


def balls_of_pairs(
    high: Sequence[float], low: Sequence[float], exponents: Sequence[int], relative_error: float
) -> list[arb]:
    """The balls of all (high + low) (1 + e) 2^exponent with |e| <= relative_error, at the working precision."""
    around_one, power = _around_one(relative_error), {exponent: _power_of_two(exponent) for exponent in set(exponents)}
    return [(arb(h) + lo) * around_one * power[e] for h, lo, e in zip(high, low, exponents, strict=True)]


@lru_cache(maxsize=256)
def _around_one(relative_error: float) -> arb:
    """All numbers within that of 1; remembered: rows have one bound, and making it takes longer than using it."""
    return arb(1, relative_error)


@lru_cache(maxsize=4096)
def _power_of_two(exponent: int) -> arb:
    """2^exponent, exactly; remembered for the same reason."""
    return arb((1, exponent))


def _radii(remainders: Sequence[arb]) -> Array:
    """The radii of what is left after high, 0 only if that is exactly 0: they cover low where it is subnormal."""
    radii = np.array([float(remainder.rad()) for remainder in remainders])
    for place in np.flatnonzero(radii < _SMALLEST_RADIUS).tolist():  # few: balls that are exact
        radii[place] = 0.0 if remainders[place].is_zero() else _SMALLEST_RADIUS
    return radii


def _pieces(ball: arb) -> tuple[float, float, float, int]:
    high = float(ball)
    if not _PLAIN[0] < abs(high) < _PLAIN[1]:
        return (0.0, 0.0, 0.0, 0) if ball.is_zero() else _scaled_pieces(ball)
    return _split(ball, high, 0)


def _scaled_pieces(ball: arb) -> tuple[float, float, float, int]:
    """The pieces of a ball out of float64's range: at the scale of its midpoint, or 0 +- 2^e if that says nothing."""
    top = _binade(ball.abs_upper()) if ball.is_finite() else LARGEST_EXPONENT + 1
    if top > LARGEST_EXPONENT:
        return 0.0, 0.0, np.inf, 0
    if top <= SMALLEST_EXPONENT:
        return 0.0, 0.0, 1.0, SMALLEST_EXPONENT
    middle = ball.mid()
    if middle.is_zero() or _binade(middle) < top - 2:
        return 0.0, 0.0, 1.0, top
    scaled = ball * arb((1, -top))
    return _split(scaled, float(scaled), top)


def _split(ball: arb, high: float, exponent: int) -> tuple[float, float, float, int]:
    rest = ball - high
    radius = 0.0 if rest.is_zero() else max(float(rest.rad()), _SMALLEST_RADIUS)
    return high, float(rest), radius, exponent


def _binade(value: arb) -> int:
    """The e with 2^(e - 1) <= |value| < 2^e, for an exact value that is not 0."""
    mantissa, exponent = value.mid().man_exp()
    return int(exponent) + int(mantissa).bit_length()
