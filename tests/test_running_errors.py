"""Numbers that carry their errors: what is computed in a format, from operands that are off, is within the bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.problems.dtypes import format_of
from gradlab.problems.problem import Array
from gradlab.running_errors import Bounded, parameter

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
    assert (one - one).error[0] == pytest.approx(2e-5, rel=1e-3)


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
