"""Each operation on pairs against exact rational arithmetic: the error-free ones are, the others keep their bounds."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gradlab.oracle import double_double as dd

Array = np.ndarray[Any, np.dtype[Any]]
Pair = dd.Pair


def adversarial(seed: int, signs: tuple[float, ...]) -> Array:
    """Float64 numbers whose last bits matter: short ones, powers of two and neighbours, random ones, many scales."""
    rng = np.random.default_rng(seed)
    size = 600
    powers = 2.0 ** rng.integers(-60, 60, size)
    neighbours = np.nextafter(powers, rng.choice([0.0, np.inf], size))
    full = rng.uniform(1, 2, size) * powers
    near_two = (2 - 2.0**-52 * rng.integers(1, 4, size)) * powers
    values = rng.permutation(np.concatenate([powers, neighbours, full, near_two]))
    return np.asarray(values * rng.choice(signs, 4 * size))


def pairs(seed: int, signs: tuple[float, ...] = (1.0, -1.0)) -> Pair:
    """Normalised pairs; the lows reach half a unit in the last place of the highs, and are zero at times."""
    high = adversarial(seed, signs)
    rng = np.random.default_rng(seed + 1)
    share = rng.choice([0.0, 0.4999, -0.4999, 0.25, 1e-10, 0.3], high.size)
    low = np.spacing(np.abs(high)) * share * rng.uniform(0.9, 1, high.size)
    return dd.fast_two_sum(high, low)


def exact(pair: Pair) -> list[Fraction]:
    return [Fraction(high) + Fraction(low) for high, low in zip(pair[0].tolist(), pair[1].tolist(), strict=True)]


def exactly(values: Array) -> list[Fraction]:
    return [Fraction(value) for value in values.tolist()]


def worst(got: Pair, expected: list[Fraction]) -> float:
    """The largest relative error, in units of u^2."""
    pairs_ = zip(exact(got), expected, strict=True)
    return max(float(abs(g - e) / abs(e)) if e else float(abs(g)) for g, e in pairs_) / dd.UNIT**2


def test_two_sum_is_exact() -> None:
    a, b = adversarial(1, (1.0, -1.0)), adversarial(2, (1.0, -1.0))
    assert exact(dd.two_sum(a, b)) == [x + y for x, y in zip(exactly(a), exactly(b), strict=True)]


def test_fast_two_sum_is_exact_for_ordered_operands() -> None:
    a, b = adversarial(3, (1.0, -1.0)), adversarial(4, (1.0, -1.0))
    larger, smaller = np.where(np.abs(a) >= np.abs(b), a, b), np.where(np.abs(a) >= np.abs(b), b, a)
    assert exact(dd.fast_two_sum(larger, smaller)) == [x + y for x, y in zip(exactly(a), exactly(b), strict=True)]


def test_two_product_is_exact() -> None:
    a, b = adversarial(5, (1.0, -1.0)), adversarial(6, (1.0, -1.0))
    assert exact(dd.two_product(a, b)) == [x * y for x, y in zip(exactly(a), exactly(b), strict=True)]


def test_split_halves_have_26_bits() -> None:
    for part in dd.split(adversarial(7, (1.0, -1.0))):
        fraction, _ = np.frexp(part)
        np.testing.assert_array_equal(fraction * 2.0**26, np.rint(fraction * 2.0**26))


def cancelling(seed: int) -> tuple[Pair, Pair]:
    """Two pairs of opposite signs that agree in all but their last bits."""
    a = pairs(seed)
    return a, dd.fast_two_sum(-np.nextafter(a[0], np.inf), -a[1] * 0.7)


OPERATIONS: dict[str, tuple[Callable[..., Pair], Callable[..., Any], tuple[Pair, Pair], float]] = {
    "add_nonnegative": (
        dd.add_nonnegative,
        lambda x, y: x + y,
        (pairs(10, (1.0,)), pairs(12, (1.0,))),
        dd.ADD_ERROR,
    ),
    "add": (dd.add, lambda x, y: x + y, (pairs(14), pairs(16)), dd.ADD_ERROR),
    "add, cancelling": (dd.add, lambda x, y: x + y, cancelling(18), dd.ADD_ERROR),
    "multiply": (dd.multiply, lambda x, y: x * y, (pairs(20), pairs(22)), dd.MULTIPLY_ERROR),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_keeps_its_bound(operation: str) -> None:
    compute, rational, (a, b), bound = OPERATIONS[operation]
    expected = [rational(x, y) for x, y in zip(exact(a), exact(b), strict=True)]
    assert worst(compute(a, b), expected) <= bound / dd.UNIT**2


@pytest.mark.parametrize("operation", ["add_nonnegative", "add", "multiply"])
def test_a_bound_is_within_a_factor_6_of_what_happens(operation: str) -> None:
    compute, rational, (a, b), bound = OPERATIONS[operation]
    expected = [rational(x, y) for x, y in zip(exact(a), exact(b), strict=True)]
    assert worst(compute(a, b), expected) >= bound / dd.UNIT**2 / 6


def test_multiply_by_double_keeps_its_bound() -> None:
    a, b = pairs(24), adversarial(26, (1.0, -1.0))
    expected = [x * y for x, y in zip(exact(a), exactly(b), strict=True)]
    assert worst(dd.multiply_by_double(a, b), expected) <= dd.MULTIPLY_BY_DOUBLE_ERROR / dd.UNIT**2


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_result_is_normalised(operation: str) -> None:
    compute, _, (a, b), _ = OPERATIONS[operation]
    high, low = compute(a, b)
    np.testing.assert_array_equal(high + low, high)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 64, 100, 1023])
def test_a_row_sum_keeps_its_bound(length: int) -> None:
    high, low = pairs(28, (1.0,))
    n_rows = high.size // length
    high, low = (part[: n_rows * length].reshape(n_rows, length) for part in (high, low))
    expected = [sum(exact(row), Fraction(0)) for row in zip(high, low, strict=True)]
    got = dd.row_sums((high.copy(), low.copy()))
    assert worst(got, expected) <= dd.sum_error(length) / dd.UNIT**2


def test_a_row_of_one_is_its_own_sum() -> None:
    assert dd.sum_error(1) == 0.0
