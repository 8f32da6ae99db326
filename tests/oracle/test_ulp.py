"""Errors in ULP against cases built by hand, and against exact rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gradlab.oracle.intervals import Enclosures, constant
from gradlab.oracle.ulp import absolute_error, error_in_ulp, errors_of, is_narrow, ulp_exponent
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype, format_of

Array = np.ndarray[Any, np.dtype[Any]]
TWO = Fraction(2)


def enclosing(value: Fraction, radius: Fraction = Fraction(0)) -> Enclosures:
    """The interval value +- radius, shape (), built exactly from rational arithmetic; value needs at most 106 bits."""
    exponent = 0
    if value:
        exponent = abs(value.numerator).bit_length() - value.denominator.bit_length()
        exponent -= abs(value) < TWO**exponent
    scaled = value / TWO**exponent
    high = float(scaled)
    low = float(scaled - Fraction(high))
    width = float(radius / TWO**exponent)
    return Enclosures(np.array(high), np.array(low), np.array(width), np.array(exponent, dtype=np.int64))


def as_array(value: float, name: str) -> Array:
    return np.array(value).astype(as_dtype(name))


ULP_EXPONENTS = [
    ("float32", Fraction(1), -23),
    ("float32", 1 - TWO**-90, -24),
    ("float32", -1 + TWO**-90, -24),
    ("float32", 1 + TWO**-90, -23),
    ("float32", Fraction(3, 2), -23),
    ("float32", TWO**-126, -149),
    ("float32", TWO**-127, -149),
    ("float32", TWO**-300, -149),
    ("float32", Fraction(0), -149),
    ("float32", TWO**200, 177),
    ("float64", Fraction(1), -52),
    ("float64", -(TWO**-1074), -1074),
    ("float64", TWO**-2000, -1074),
    ("float64", TWO**-1022, -1074),
    ("float64", TWO**-1021, -1073),
    ("float16", TWO**-14, -24),
    ("float16", TWO**-15, -24),
    ("float16", Fraction(65504), 5),
    ("bfloat16", Fraction(1), -7),
    ("bfloat16", TWO**-126, -133),
]


@pytest.mark.parametrize(("name", "value", "expected"), ULP_EXPONENTS)
def test_the_ulp_is_that_of_the_exact_value(name: str, value: Fraction, expected: int) -> None:
    assert ulp_exponent(enclosing(value), format_of(name)) == expected


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("low", "expected"), [(-(2.0**-90), -24), (0.0, -23), (2.0**-90, -23)])
def test_the_ulp_beside_a_power_of_two_is_that_of_the_side_on_which_the_low_part_is(
    sign: float, low: float, expected: int
) -> None:
    value = Enclosures(np.array(sign), np.array(sign * low), np.array(0.0), np.array(0))
    assert ulp_exponent(value, format_of("float32")) == expected


def test_the_smaller_ulp_is_taken_where_the_enclosure_straddles_a_power_of_two() -> None:
    assert ulp_exponent(enclosing(Fraction(1), TWO**-80), format_of("float32")) == -24


def test_the_smaller_ulp_is_taken_where_rounding_hides_that_the_enclosure_straddles() -> None:
    assert ulp_exponent(enclosing(1 + TWO**-51 - TWO**-106, TWO**-51), format_of("float32")) == -24


def test_the_smallest_ulp_is_taken_where_the_enclosure_holds_zero() -> None:
    assert ulp_exponent(enclosing(Fraction(1), Fraction(3, 2)), format_of("float32")) == -149


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_the_ulp_is_the_spacing_of_the_format(name: str) -> None:
    fmt = format_of(name)
    for value in (1.0, 1.5, fmt.largest / 2, fmt.smallest_normal, fmt.smallest_subnormal, 3 * fmt.smallest_subnormal):
        spacing = float(np.spacing(as_array(value, name)))
        assert 2.0 ** int(ulp_exponent(enclosing(Fraction(value)), fmt)) == spacing


ULP_ERRORS = [
    ("float32", 1 + 2.0**-23, Fraction(1), 1.0),
    ("float32", 1.0, 1 - TWO**-30, 2.0**-6),
    ("float32", 1.0, 1 - TWO**-25, 0.5),
    ("float32", 1.0, 1 + TWO**-24, 0.5),
    ("float32", 0.0, TWO**-150, 0.5),
    ("float32", 0.0, TWO**-300, 2.0**-151),
    ("float32", 2.0**-149, Fraction(0), 1.0),
    ("float32", -(2.0**-149), Fraction(0), 1.0),
    ("float32", 2.0**-148, TWO**-149, 1.0),
    ("float32", 0.0, Fraction(1), 2.0**23),
    ("float32", -1.0, Fraction(1), 2.0**24),
    ("float64", 1.0, 1 + TWO**-100, 2.0**-48),
    ("float64", 5e-324, Fraction(0), 1.0),
    ("float64", 0.0, TWO**-1075, 0.5),
    ("float64", -0.0, Fraction(0), 0.0),
    ("float64", 1 - 2.0**-53, 1 - TWO**-54, 0.5),
    ("float64", 1.0, -1 - TWO**-52, 2.0**53 + 1),
    ("float16", 65504.0, Fraction(65504 + 8), 0.25),
    ("float16", 2.0**-24, TWO**-25, 0.5),
    ("bfloat16", 1.0, 1 + TWO**-8, 0.5),
    ("bfloat16", 2.0**-133, Fraction(0), 1.0),
]


@pytest.mark.parametrize(("name", "got", "truth", "expected"), ULP_ERRORS)
def test_an_error_is_counted_in_ulp(name: str, got: float, truth: Fraction, expected: float) -> None:
    error = float(error_in_ulp(as_array(got, name), enclosing(truth), format_of(name)))
    assert expected <= error <= expected * (1 + 2.0**-45) + 2.0**-900


@pytest.mark.parametrize(("name", "got", "truth", "expected"), ULP_ERRORS)
def test_an_error_is_measured_absolutely(name: str, got: float, truth: Fraction, expected: float) -> None:
    del expected
    exact = abs(Fraction(got) - truth)
    error = Fraction(float(absolute_error(as_array(got, name), enclosing(truth))))
    assert exact <= error <= exact * (1 + TWO**-45) + 2 * TWO**-1074


@pytest.mark.parametrize("truth", [TWO**-3000, -(TWO**-1500), TWO**-5200, TWO**-2200, TWO**-2400])
def test_an_error_below_float64_is_not_lost(truth: Fraction) -> None:
    exact = abs(truth) / TWO**-1074
    assert exact <= Fraction(float(error_in_ulp(np.array(0.0), enclosing(truth), format_of("float64"))))
    assert abs(truth) <= Fraction(float(absolute_error(np.array(0.0), enclosing(truth))))


@pytest.mark.parametrize("exponent", [-1024, -1026, -1029, -1040, -1060])
def test_an_error_that_is_subnormal_is_rounded_up(exponent: int) -> None:
    for last in range(1, 53):
        truth = TWO**exponent * (1 + TWO**-last)
        error = Fraction(float(absolute_error(np.array(0.0), enclosing(truth))))
        assert truth <= error <= truth * (1 + TWO**-45) + 2 * TWO**-1074


def test_a_wider_answer_is_counted_in_the_problem_s_ulp() -> None:
    assert error_in_ulp(np.array(1 + 2.0**-33), enclosing(Fraction(1)), format_of("float32")) == pytest.approx(2.0**-10)


@pytest.mark.parametrize("answers", DTYPE_NAMES)
@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_both_errors_at_once_are_those_of_one_by_one(name: str, answers: str) -> None:
    sizes = np.array([2.0**-1074, 2.0**-149, 2.0**-130, 0.3, 1.0, 2.0**100, math.inf, math.nan, 0.0])
    got, high = (
        part.ravel() for part in np.meshgrid(sizes, [2.0**-1022, 2.0**-126, 0.3, 1.0, 3e38, math.inf, math.nan])
    )
    exponents = np.where(np.isfinite(high), np.frexp(np.where(np.isfinite(high), high, 1.0))[1] - 1, 0).astype(np.int64)
    truth = Enclosures(np.ldexp(high, -exponents), np.zeros(got.shape), np.full(got.shape, 2.0**-90), exponents)
    with np.errstate(over="ignore"):
        seen = got.astype(as_dtype(answers))
    both = errors_of(seen, truth, format_of(name))
    np.testing.assert_array_equal(both.absolute, absolute_error(seen, truth))
    np.testing.assert_array_equal(both.in_ulp, error_in_ulp(seen, truth, format_of(name)))


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_the_radius_is_part_of_the_error(name: str) -> None:
    fmt = format_of(name)
    ulp = TWO ** (1 - fmt.precision)
    error = float(error_in_ulp(as_array(1.5, name), enclosing(Fraction(3, 2), ulp / 2**30), fmt))
    assert 2.0**-30 <= error <= 2.0**-30 * (1 + 2.0**-45)


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_rounding_is_half_an_ulp_at_most(name: str) -> None:
    fmt, rng = format_of(name), np.random.default_rng(3)
    top = math.log2(fmt.largest) - 1
    for exponent in rng.uniform(fmt.min_exponent - fmt.precision - 2, top, 60):
        value = Fraction(float(rng.uniform(1, 2))) * TWO ** int(exponent)
        rounded = as_array(float(value), name)
        exact = abs(Fraction(float(rounded)) - value) / TWO ** int(ulp_exponent(enclosing(value), fmt))
        error = Fraction(float(error_in_ulp(rounded, enclosing(value), fmt)))
        assert exact <= error <= exact * (1 + TWO**-45) + TWO**-900
        assert exact <= Fraction(1, 2)


INFINITE = [
    ("float16", math.inf, Fraction(65520), 0.0),
    ("float16", math.inf, Fraction(65519), math.inf),
    ("float16", -math.inf, Fraction(-70000), 0.0),
    ("float16", math.inf, Fraction(-70000), math.inf),
    ("float32", math.inf, TWO**128 - TWO**103, 0.0),
    ("float32", math.inf, TWO**128 - TWO**103 - 1, math.inf),
    ("float32", math.inf, TWO**128 - TWO**104, math.inf),
    ("float32", math.inf, TWO**900, 0.0),
    ("float64", math.inf, TWO**1024, 0.0),
    ("float64", math.inf, Fraction(1), math.inf),
    ("float64", math.nan, Fraction(1), math.inf),
    ("bfloat16", math.inf, TWO**128 - TWO**119, 0.0),
    ("bfloat16", math.inf, TWO**128 - TWO**120, math.inf),
]


@pytest.mark.parametrize(("name", "got", "truth", "expected"), INFINITE)
def test_infinity_is_right_where_the_truth_rounds_to_it(
    name: str, got: float, truth: Fraction, expected: float
) -> None:
    assert error_in_ulp(as_array(got, name), enclosing(truth), format_of(name)) == expected
    assert absolute_error(as_array(got, name), enclosing(truth)) == expected


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_infinity_is_right_where_the_enclosure_straddles_what_rounds_to_it(name: str) -> None:
    fmt = format_of(name)
    top = int(np.frexp(fmt.largest)[1])
    point = TWO**top * (1 - TWO ** -(fmt.precision + 1))
    below = point * (1 - TWO**-60)
    for sign in (1, -1):
        straddling, apart = enclosing(sign * below, point * TWO**-59), enclosing(sign * below, point * TWO**-62)
        assert error_in_ulp(np.array(sign * math.inf), straddling, fmt) == 0
        assert error_in_ulp(np.array(sign * math.inf), apart, fmt) == math.inf


def test_the_largest_number_is_far_from_a_truth_beyond_it() -> None:
    error = float(error_in_ulp(as_array(65504, "float16"), enclosing(Fraction(2) ** 17), format_of("float16")))
    assert error == pytest.approx((2**17 - 65504) / 2**7)


SPECIAL = [(math.nan, math.nan, 0.0), (math.inf, math.inf, 0.0), (-math.inf, -math.inf, 0.0)]
SPECIAL += [(math.inf, -math.inf, math.inf), (math.nan, math.inf, math.inf), (math.inf, math.nan, math.inf)]
SPECIAL += [(0.0, math.nan, math.inf), (0.0, math.inf, math.inf), (-1.0, -math.inf, math.inf)]


@pytest.mark.parametrize(("got", "truth", "expected"), SPECIAL)
def test_infinities_and_nan_agree_only_with_themselves(got: float, truth: float, expected: float) -> None:
    assert error_in_ulp(np.array(got), constant(truth, ()), format_of("float32")) == expected
    assert absolute_error(np.array(got), constant(truth, ())) == expected


@pytest.mark.parametrize("name", DTYPE_NAMES)
@pytest.mark.parametrize("value", [0.0, 1.0, -0.75])
def test_what_is_exactly_right_has_no_error(value: float, name: str) -> None:
    assert error_in_ulp(as_array(value, name), enclosing(Fraction(value)), format_of(name)) == 0
    assert absolute_error(as_array(value, name), enclosing(Fraction(value))) == 0


def test_an_error_of_one_beside_a_truth_of_zero_is_one() -> None:
    assert absolute_error(np.array(1.0), enclosing(Fraction(0))) == pytest.approx(1.0, rel=2.0**-45, abs=0)


def test_one_special_entry_leaves_the_others_alone() -> None:
    truth = constant(0.0, (3,))
    truth.high[:] = [math.nan, 0.0, math.inf]
    error = error_in_ulp(np.array([math.nan, 2.0**-149, 1.0]), truth, format_of("float32"))
    np.testing.assert_allclose(error, [0.0, 1.0, math.inf], rtol=2.0**-45)


NARROW = [
    ("float32", Fraction(3, 2), TWO**-44, False),
    ("float32", Fraction(3, 2), TWO**-44 - TWO**-60, True),
    ("float32", Fraction(0), TWO**-170, False),
    ("float32", Fraction(0), TWO**-171, True),
    ("float32", TWO**-200, TWO**-171, True),
    ("float32", Fraction(1), TWO**-45, False),
    ("float32", Fraction(1), TWO**-46, True),
    ("float64", Fraction(0), Fraction(0), True),
]


@pytest.mark.parametrize(("name", "value", "radius", "expected"), NARROW)
def test_narrow_is_below_two_to_the_minus_20_ulp(name: str, value: Fraction, radius: Fraction, expected: bool) -> None:
    assert is_narrow(enclosing(value, radius), format_of(name)) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0])
def test_what_is_exact_is_narrow(value: float) -> None:
    assert is_narrow(constant(value, (2,)), format_of("float64")).all()


@pytest.mark.parametrize("got", [8.0, 1e137, -1e137])
def test_an_absolute_error_far_beyond_the_truth_is_finite(got: float) -> None:
    nothing = constant(0.0, (1,))
    error = absolute_error(np.array([got]), nothing)
    assert abs(got) <= error[0] <= abs(got) * (1 + 2.0**-40)


@pytest.mark.parametrize("got", [0.0, 2.0**900, -(2.0**1000)])
def test_a_radius_far_beyond_the_truth_is_part_of_the_error(got: float) -> None:
    wide = Enclosures(np.zeros(1), np.zeros(1), np.ones(1), np.array([900], dtype=np.int64))
    exact = abs(Fraction(got)) + TWO**900
    error = Fraction(float(absolute_error(np.array([got]), wide)[0]))
    assert exact <= error <= exact * (1 + TWO**-40)


@pytest.mark.parametrize("scale", [5, 10, 400, 1000])
def test_an_error_beside_an_enclosure_that_holds_zero_and_reaches_far_is_no_less_than_the_exact_one(scale: int) -> None:
    third = Fraction(float(np.float64(1) / 3)) + TWO**-60
    truth, radius = TWO**scale * third, TWO**scale
    for got in (float(truth), 0.0, -(2.0**scale), 2.0 ** (scale + 3) * 1.1):
        exact = abs(Fraction(got) - truth) + radius
        error = Fraction(float(absolute_error(np.array(got), enclosing(truth, radius))))
        assert exact <= error <= exact * (1 + TWO**-40)


def test_a_low_part_that_is_subnormal_once_scaled_is_not_understated() -> None:
    low = 2.0**-1060 + 2.0**-1074  # half of it is no float64
    truth = Enclosures(np.array(1.0), np.array(low), np.array(0.0), np.array(-1022))
    exact = Fraction(low) * Fraction(2) ** (-1022 + 1074)
    assert Fraction(float(error_in_ulp(np.array(2.0**-1022), truth, format_of("float64")))) >= exact
