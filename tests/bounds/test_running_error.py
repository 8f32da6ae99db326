"""Numbers that carry their errors: what is computed in a format, from operands that are off, is within the bound."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gradlab.bounds.running_error import Bounded, parameter
from gradlab.problems.dtypes import format_of
from gradlab.problems.problem import Array

FORMAT = format_of("float32")
RNG = np.random.default_rng(11)
N = 2000


def operand(sizes: Array, lowest: float = -np.inf) -> tuple[Bounded, Array, Array]:
    """Intervals of exact values, one exact value in each, and a float32 that is off by a part of the error."""
    exact = np.maximum(sizes, lowest)
    low, high = exact - np.abs(exact) * 1e-3 * RNG.uniform(size=N), exact + np.abs(exact) * 1e-3 * RNG.uniform(size=N)
    computed = (exact * (1 + RNG.uniform(-1e-4, 1e-4, N))).astype(np.float32)
    return Bounded(low, high, np.abs(computed - exact), FORMAT), exact, computed


UNARY: dict[str, tuple[Callable[[Any], Any], float]] = {
    "exp": (np.exp, -np.inf),
    "log": (np.log, 0.01),
    "log1p": (np.log1p, -0.9),
    "tanh": (np.tanh, -np.inf),
    "negative": (np.negative, -np.inf),
    "one less its square": (lambda a: 1 - a * a, -np.inf),
    "slope of tanh": (lambda a: 1 - np.tanh(a) * np.tanh(a), -np.inf),
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda a, b: a + b,
    "difference": lambda a, b: a - b,
    "product": lambda a, b: a * b,
    "quotient": lambda a, b: a / b,
    "quotient of a sum": lambda a, b: (a + b) / (b * b),
}


def assert_holds(found: Bounded, exact: Array, computed: Array) -> None:
    assert ((found.low <= exact) & (exact <= found.high)).all()
    known = np.isfinite(computed) & np.isfinite(found.error)
    assert (np.abs(computed.astype(np.float64) - exact)[known] <= found.error[known]).all()


@pytest.mark.parametrize("name", UNARY)
def test_a_function_s_value_and_error_are_within_what_it_carries(name: str) -> None:
    function, lowest = UNARY[name]
    carried, exact, computed = operand(RNG.normal(0, 4, N), lowest)
    assert_holds(function(carried), function(exact), function(computed))


@pytest.mark.parametrize("name", BINARY)
def test_an_operation_s_value_and_error_are_within_what_it_carries(name: str) -> None:
    operation = BINARY[name]
    (a, exact_a, computed_a), (b, exact_b, computed_b) = operand(RNG.normal(0, 4, N)), operand(RNG.normal(0, 4, N))
    found = operation(a, b)
    assert np.isfinite(found.error).mean() > 0.9
    assert_holds(found, operation(exact_a, exact_b), operation(computed_a, computed_b))


@pytest.mark.parametrize("name", UNARY)
def test_the_error_of_a_function_is_not_far_above_what_happens(name: str) -> None:
    function, lowest = UNARY[name]
    carried, exact, computed = operand(RNG.normal(0, 1, N), lowest)
    found = function(carried)
    off = np.abs(function(computed).astype(np.float64) - function(exact))
    assert (off / found.error).max() > 0.5


def test_what_is_subtracted_from_itself_leaves_its_errors() -> None:
    one = Bounded(np.ones(1), np.ones(1), np.full(1, 1e-5), FORMAT)
    assert (one - one).error[0] == pytest.approx(2e-5, rel=1e-3, abs=0)


def test_a_divisor_that_may_be_0_has_a_quotient_without_a_bound() -> None:
    wide = Bounded(np.array([-1.0, 1.0]), np.array([1.0, 2.0]), np.array([0.0, 1.0]), FORMAT)
    assert np.isinf((1 / wide).error).all()


def test_a_parameter_may_be_rounded_to_the_format() -> None:
    for value in (0.1, 1 / 3, 1e-50, 3e38):
        assert abs(float(np.float32(value)) - value) <= parameter(value, FORMAT).error


def test_a_sum_over_classes_is_within_what_it_carries() -> None:
    carried, exact, computed = operand(RNG.normal(0, 4, N))
    low, high, error = (part.reshape(40, 50) for part in (carried.low, carried.high, carried.error))
    rows = Bounded(low, high, error, FORMAT).summed(50)
    total = np.cumsum(computed.reshape(40, 50), axis=1, dtype=np.float32)[:, -1:]
    assert_holds(rows, exact.reshape(40, 50).sum(axis=1, keepdims=True), total)


def test_a_function_without_a_rule_is_refused() -> None:
    with pytest.raises(TypeError):
        np.sin(parameter(1.0, FORMAT))


def test_what_may_overflow_on_the_way_has_no_bound() -> None:
    large = Bounded(np.array([1e18, 1e20]), np.array([1e18, 1e20]), np.zeros(2), FORMAT)
    assert np.isinf((large * large * parameter(1e-4, FORMAT)).error).tolist() == [False, True]


def single(low: float, high: float, error: float) -> Bounded:
    return Bounded(np.array(low), np.array(high), np.array(error), FORMAT)


V = 2.0**-24 / (1 - 32 * 2.0**-24)
ETA = 2.0**-149
A, B = (2.0, 3.0, 2.0**-10), (-8.0, -4.0, 2.0**-12)  # low, high, error
E_A, E_B = A[2], B[2]
SMALL = (0.25, 0.5, 2.0**-10)
RULES: dict[str, tuple[Bounded, tuple[float, float, float], float]] = {
    # name: what is computed; low, high and the error that reaches it; how many roundings of its own
    "sum": (single(*A) + single(*B), (-6.0, -1.0, E_A + E_B), 2),
    "difference": (single(*A) - single(*B), (6.0, 11.0, E_A + E_B), 2),
    "product": (single(*A) * single(*B), (-24.0, -8.0, 3 * E_B + 8 * E_A + E_A * E_B), 2),
    "quotient": (single(*A) / single(*B), (-0.75, -0.25, (E_A + 0.75 * E_B) / (4 - E_B)), 2),
    "negative": (-single(*A), (-3.0, -2.0, E_A), 0),
    "exp": (np.exp(single(*A)), (np.exp(2.0), np.exp(3.0), E_A * np.exp(3 + E_A)), 10),
    "log": (np.log(single(*A)), (np.log(2.0), np.log(3.0), E_A / (2 - E_A)), 10),
    "log1p": (np.log1p(single(*A)), (np.log1p(2.0), np.log1p(3.0), E_A / (3 - E_A)), 10),
    "tanh": (np.tanh(single(*A)), (np.tanh(2.0), np.tanh(3.0), E_A / np.cosh(2 - E_A) ** 2), 10),
    "tanh, negative": (np.tanh(single(*B)), (np.tanh(-8.0), np.tanh(-4.0), E_B / np.cosh(4 - E_B) ** 2), 10),
    "tanh about 0": (np.tanh(single(-1.0, 2.0, 0.125)), (np.tanh(-1.0), np.tanh(2.0), 0.125), 10),
    "tanh of anything": (np.tanh(single(-1.0, 2.0, 50.0)), (np.tanh(-1.0), np.tanh(2.0), 2.0), 10),
    "quotient by a small one": (single(*A) / single(*SMALL), (4.0, 12.0, (E_A + 12 * E_A) / (0.25 - E_A)), 2),
    "quotient of both signs": (single(-1.0, 2.0, 0.0) / single(*B), (-0.5, 0.25, 0.5 * E_B / (4 - E_B)), 2),
    "quotient by one whose reciprocal is normal": (
        single(*A) / single(2.0**126, 2.0**126, 0.0),
        (2.0**-125, 3 * 2.0**-126, E_A * 2.0**-126),
        2,
    ),
    "quotient by one whose reciprocal is subnormal": (
        single(*A) / single(2.0**126, 1.01 * 2.0**126, 0.0),
        (2.0**-125 / 1.01, 3 * 2.0**-126, E_A * 2.0**-126 + ETA * (3 + E_A)),
        2,
    ),
    "with a number": (single(*A) + 1.0, (3.0, 4.0, E_A), 2),
}


@pytest.mark.parametrize("name", RULES)
def test_what_reaches_a_result_and_what_its_own_rounding_adds_is_as_documented(name: str) -> None:
    found, (low, high, reaches), roundings = RULES[name]
    assert (float(found.low), float(found.high)) == pytest.approx((low, high), rel=1e-14, abs=0)
    size = max(abs(low), abs(high)) + reaches
    own = np.expm1(roundings * V) * size + 2 * ETA if roundings else 0.0
    assert float(found.error) == pytest.approx(reaches + own, rel=1e-12, abs=0)


def test_underflow_costs_an_operation_two_of_the_smallest_numbers_and_a_parameter_one() -> None:
    nothing = single(0.0, 0.0, 0.0)
    assert float((nothing * nothing).error) == pytest.approx(2 * ETA, rel=1e-9, abs=0)
    assert float(parameter(0.0, FORMAT).error) == ETA
    assert float(parameter(3.0, FORMAT).error) == pytest.approx(3 * np.expm1(2 * V), rel=1e-12, abs=0)


def test_intervals_are_wider_by_sixteen_roundings_at_each_end_and_where_a_product_underflows_by_one_number() -> None:
    found = single(1 / 3, 1 / 3, 0.0) * single(3.0, 3.0, 0.0)
    assert (float(found.low), float(found.high)) == pytest.approx((1 - 2.0**-49, 1 + 2.0**-49), rel=2.0**-52, abs=0)
    assert float(found.low) < 1 < float(found.high)
    assert float(nothing_much().low) < 0 < float(nothing_much().high)


def nothing_much() -> Bounded:
    """A product that is 0 in float64 and not 0 exactly."""
    tiny = single(1e-200, 1e-200, 0.0)
    found: Bounded = tiny * tiny
    return found


def test_the_error_of_a_sum_over_classes_is_theirs_and_a_rounding_each_of_all_sizes() -> None:
    row = Bounded(np.array([[1.0, -4.0]]), np.array([[2.0, -3.0]]), np.array([[0.25, 0.5]]), FORMAT).summed(7.0)
    assert -3 - 1e-13 < row.low[0, 0] <= -3  # widened by the roundings of its own sum
    assert -1 <= row.high[0, 0] < -1 + 1e-13
    assert float(row.error[0, 0]) == pytest.approx(0.75 + np.expm1(7 * V) * (2 + 4 + 0.75), rel=1e-12, abs=0)


@pytest.mark.parametrize(("size", "known"), [(0.999, True), (1.001, False)])
def test_an_error_is_known_up_to_the_largest_number_its_own_error_included(size: float, known: bool) -> None:
    large = np.array(size * FORMAT.largest / 2)
    both = Bounded(large, large, large, FORMAT)
    assert np.isfinite((-both).error) == known


def test_a_logarithm_of_what_may_be_0_and_a_quotient_by_it_have_no_bound() -> None:
    for unsure in (single(0.5, 1.0, 0.5), single(0.5, 1.0, 0.6)):
        assert np.isinf([np.log(unsure).error, (1 / unsure).error, np.log1p(unsure - 1).error]).all()
    sure = single(0.5, 1.0, 0.499)
    assert np.isfinite([np.log(sure).error, (1 / sure).error]).all()


@pytest.mark.parametrize("exponent", [126, 127])
def test_a_quotient_by_a_subnormal_reciprocal_is_within_what_it_carries(exponent: int) -> None:
    divisors = np.float32(2.0**exponent) * RNG.uniform(1.001, 1.99, N).astype(np.float32)
    dividends = (RNG.uniform(0.5, 1.0, N) * FORMAT.largest).astype(np.float32)
    a, b = (Bounded(x.astype(np.float64), x.astype(np.float64), np.zeros(N), FORMAT) for x in (dividends, divisors))
    computed = dividends * (np.float32(1) / divisors)
    off = np.abs(computed - dividends.astype(np.float64) / divisors.astype(np.float64))
    assert (off <= (a / b).error).all()
    assert (off / (a / b).error).max() > 0.4


def test_the_sum_of_a_row_holds_the_exact_sum_of_its_ends() -> None:
    terms = np.full((1, 1001), 0.1)
    found = Bounded(terms, terms, np.zeros(terms.shape), FORMAT).summed(0.0)
    assert Fraction(float(found.low[0, 0])) <= 1001 * Fraction(0.1) <= Fraction(float(found.high[0, 0]))
    assert found.high[0, 0] - found.low[0, 0] < 1e-8
