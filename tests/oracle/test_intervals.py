"""Intervals as arrays: what they hold, how they print, and that they contain the balls they come from."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx

from gradlab.oracle.exact.conversion import balls_of_pairs, to_enclosures
from gradlab.oracle.intervals import LARGEST_PRINTED, SMALLEST_EXPONENT, Enclosures, constant, fill, normalise

TWO = Fraction(2)


def bounds(interval: Enclosures, index: Any = 0) -> tuple[Fraction, Fraction]:
    parts = (Fraction(float(part[index])) for part in (interval.high, interval.low, interval.radius))
    high, low, radius = parts
    scale = TWO ** int(interval.exponent[index])
    return (high + low - radius) * scale, (high + low + radius) * scale


def exact(value: arb) -> Fraction:
    mantissa, exponent = value.man_exp()
    return Fraction(int(mantissa)) * TWO ** int(exponent)


def balls(precision: int) -> list[arb]:
    """Balls of many sizes and relative widths, both signs, zero among them; made at the given precision."""
    with ctx.workprec(precision):
        third = arb(1) / 3
        scales = [0, -1, 5, -300, -599, -601, -1074, -3000, 90, 101, 900, 1020, 3000]
        found = [sign * third * arb((1, scale)) for scale in scales for sign in (1, -1)]
        found += [arb(1), arb(-0.75), arb(0), arb((3, -1080)), arb(1) + arb((1, -1070)), arb(1) - arb((1, -80))]
        found += [
            arb(1) + arb((2**60 + 1, -1130)),
            arb(-0.5) + arb((2**60 + 1, -1136)),
            third - third,
            arb(0, 2.0**-200),
            arb(1, 0.5),
            arb(1e-200, 1e-100),
            arb((1, -2000), (1, -1990)),
        ]
        return found


@pytest.mark.parametrize("precision", [53, 80, 200, 1500])
def test_an_interval_contains_its_ball(precision: int) -> None:
    for ball in balls(precision):
        with ctx.workprec(precision):
            lower, upper = bounds(to_enclosures([ball]))
        assert lower <= exact(ball.mid()) - exact(ball.rad())
        assert upper >= exact(ball.mid()) + exact(ball.rad())


@pytest.mark.parametrize("scale", [0, -700, -3000])
def test_an_interval_contains_its_ball_where_rounding_low_and_the_radius_both_lose_the_most(scale: int) -> None:
    with ctx.workprec(300):
        low = arb((1, -55)) + arb((1, -107)) + arb((1, -108))  # halfway between two float64
        ball = (arb(1) + low + arb(0, 2.0**-50)) * arb((1, scale))  # beside its radius, 2^-108 is rounded away
        lower, upper = bounds(to_enclosures([ball]))
    assert lower <= exact(ball.mid()) - exact(ball.rad())
    assert upper >= exact(ball.mid()) + exact(ball.rad())


@pytest.mark.parametrize("precision", [80, 200, 1500])
def test_an_interval_is_hardly_wider_than_its_ball(precision: int) -> None:
    for ball in [ball for ball in balls(precision) if ball.rel_accuracy_bits() > 60]:
        with ctx.workprec(precision):
            lower, upper = bounds(to_enclosures([ball]))
        assert upper - lower <= 3 * exact(ball.rad()) + abs(exact(ball.mid())) * TWO**-104


@pytest.mark.parametrize("scale", [0, -200, -1990, 3000])
@pytest.mark.parametrize("middle", [arb(0), arb((1, -10)), arb((-3, -4))])
def test_an_interval_about_0_reaches_at_most_twice_as_far_as_its_ball(middle: arb, scale: int) -> None:
    ball = (middle + arb(0, 1.25)) * arb((1, scale - 2000))
    farthest = abs(exact(ball.mid())) + exact(ball.rad())
    lower, upper = bounds(to_enclosures([ball]))
    assert max(-lower, upper) <= 2 * farthest


def test_the_parts_are_normalised() -> None:
    with ctx.workprec(200):
        found = to_enclosures(balls(200))
    size = np.abs(found.high)
    assert (((size >= 1) & (size < 2)) | (size == 0)).all()
    np.testing.assert_array_equal(found.high + found.low, found.high)
    assert (found.radius >= 0).all()


def test_an_exact_zero_stays_exact() -> None:
    assert bounds(to_enclosures([arb(0)])) == (Fraction(0), Fraction(0))


def test_a_float64_stays_exact() -> None:
    assert bounds(to_enclosures([arb(0.1)])) == (Fraction(0.1), Fraction(0.1))


def test_what_is_unimaginably_small_is_enclosed_about_zero() -> None:
    found = to_enclosures([arb(-1e300).exp()])
    assert [found.high.item(), found.low.item()] == [0.0, 0.0]
    assert 0 < found.radius.item() < 1.001
    assert found.exponent.item() == SMALLEST_EXPONENT


def test_a_ball_that_is_not_finite_has_an_infinite_radius() -> None:
    assert math.isinf(to_enclosures([arb(1) / arb(0)]).radius.item())


def test_no_balls_make_no_intervals() -> None:
    assert to_enclosures([]).shape == (0,)


def test_a_ball_of_a_pair_holds_the_relative_error() -> None:
    (ball,) = balls_of_pairs([1.5], [2.0**-60], [-4000], 2.0**-70)
    value = (Fraction(1.5) + TWO**-60) * TWO**-4000
    for factor in (1, 1 + TWO**-70, 1 - TWO**-70):
        assert exact(ball.mid()) - exact(ball.rad()) <= value * factor <= exact(ball.mid()) + exact(ball.rad())


def test_normalising_does_not_move_an_interval() -> None:
    parts = (np.array([6.0, -0.3, 0.0]), np.array([2.0**-60, 0.0, 0.0]), np.array([2.0**-70, 2.0**-80, 1.0]))
    found = normalise(*parts, np.array([-4000, 3, 7], dtype=np.int64))
    for index, exponent in enumerate([-4000, 3, 7]):
        high, low, radius = (Fraction(float(part[index])) for part in parts)
        scale = TWO**exponent
        assert bounds(found, index) == ((high + low - radius) * scale, (high + low + radius) * scale)


def single(high: float, low: float, radius: float, exponent: int) -> Enclosures:
    return Enclosures(np.array(high), np.array(low), np.array(radius), np.array(exponent, dtype=np.int64))


DESCRIBED = [
    (single(-1.0, 0.0, 0.0, -1), "-0.5"),
    (single(0.0, 0.0, 0.0, 0), "0"),
    (single(math.nan, 0.0, 0.0, 0), "nan"),
    (single(math.inf, 0.0, 0.0, 0), "inf"),
    (single(1.0, 0.0, 2.0**-80, 0), "1 \u00b1 9e-25"),
    (single(1.0, 0.0, 2.0**-30, 80), "1.2089258196e+24 \u00b1 2e+15"),
    (single(1.2345678901234567, 2.0**-60, 2.0**-300, 0), "1.2345678901234567 \u00b1 9e-18"),
    (single(1.2345, 0.0, 0.5, 0), "1.23 \u00b1 0.6"),
    (single(1.5, 0.0, 0.0, -100_000), "0 \u00b1 2^-99999"),
    (single(1.5, 0.0, 0.0, 100_000), "1.5 * 2^100000"),
]


@pytest.mark.parametrize(("interval", "text"), DESCRIBED)
def test_an_interval_prints_a_number_and_how_far_it_reaches(interval: Enclosures, text: str) -> None:
    assert interval.describe() == text


def test_what_is_printed_contains_the_interval_and_is_hardly_wider() -> None:
    with ctx.workprec(100):
        interval = to_enclosures([arb(-2000).exp(), arb(1) / 3, -arb(1) / 7])
    for index in range(3):
        middle, reach = (Fraction(part) for part in interval.describe(index).split(" \u00b1 "))
        lower, upper = bounds(interval, index)
        assert middle - reach <= lower <= upper <= middle + reach
        assert reach <= abs(middle) * Fraction(10) ** -16


NEAREST = [(single(1.0, 0.0, 0.0, 1023), 2.0**1023), (single(1.0, 0.0, 0.0, 1024), math.inf)]
NEAREST += [(single(1.25, 0.0, 0.0, -1074), 5e-324), (single(1.0, 0.0, 0.0, -(2**40)), 0.0)]
NEAREST += [(single(1.0, 0.0, 0.0, 2**40), math.inf), (single(-1.0, 0.0, 0.0, 2**33), -math.inf)]


@pytest.mark.parametrize(("interval", "value"), NEAREST)
def test_the_nearest_float64_may_be_infinite_or_zero(interval: Enclosures, value: float) -> None:
    assert interval.nearest() == value


def test_intervals_are_indexed_like_arrays() -> None:
    found = constant(0.0, (3, 4))
    fill(found, (slice(None), 2), math.nan)
    assert found.shape == (3, 4)
    assert found[1].shape == (4,)
    assert np.isnan(found[:, 2].nearest()).all()
    assert found[1, 3].nearest() == 0.0


@pytest.mark.parametrize(("exponent", "decimal"), [(LARGEST_PRINTED, True), (LARGEST_PRINTED + 1, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_are_printed_in_decimal_up_to_an_exponent(exponent: int, decimal: bool, sign: int) -> None:
    assert LARGEST_PRINTED == 20_000
    assert ("2^" not in single(1.5, 0.0, 2.0**-80, sign * exponent).describe()) == decimal


@pytest.mark.parametrize("exponent", [2**41, 2**62, 2**63, 2**80])
def test_a_ball_too_large_for_an_exponent_of_64_bits_says_nothing(exponent: int) -> None:
    found = to_enclosures([arb(1), arb(0, (1, exponent)), arb((1, exponent)), arb((3, -exponent))])
    assert found.radius[:3].tolist() == [0.0, math.inf, math.inf]
    assert (found.high[3], found.exponent[3]) == (0.0, SMALLEST_EXPONENT)
    assert found.radius[3] >= 1.0


def test_a_radius_far_larger_than_the_middle_becomes_infinite_without_a_warning() -> None:
    with ctx.workprec(2000):
        found = to_enclosures([arb((1, -500)) + arb(0, (1, 90)), arb((1, -590)) + arb(0, (1, 900))])
    assert (found.radius > 2.0**588).all()
