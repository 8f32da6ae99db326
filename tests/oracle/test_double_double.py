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


U = Fraction(1, 2**53)
PROVED = {  # the source's bound, or the sum that the module's docstring makes of the roundings of each step
    "add_nonnegative": (dd.ADD_ERROR, 3 * U**2),
    "add": (dd.ADD_ERROR, 3 * U**2 / (1 - 4 * U)),
    # l_a l_b; two products; their sum; the error of the product of the highs added to it
    "multiply": (dd.MULTIPLY_ERROR, (U**2 + 2 * U**2 + 2 * U**2 * (1 + U) + 3 * U**2 * (1 + U)) / (1 - U) ** 2),
    # one product; the error of the product of the highs added to it; the high is within 1 - u of the pair
    "multiply_by_double": (dd.MULTIPLY_BY_DOUBLE_ERROR, (U**2 + 2 * U**2 * (1 + U)) / (1 - U)),
}


@pytest.mark.parametrize("operation", PROVED)
def test_a_bound_is_not_below_what_is_proved(operation: str) -> None:
    bound, proved = PROVED[operation]
    assert Fraction(bound) >= proved


@pytest.mark.parametrize("operation", ["add", "multiply"])
def test_a_bound_is_hardly_above_what_is_proved(operation: str) -> None:
    bound, proved = PROVED[operation]
    assert Fraction(bound) <= proved * Fraction(101, 100)


def test_the_bound_of_a_product_with_a_double_has_room_for_one_rounding_more_than_is_proved() -> None:
    bound, proved = PROVED["multiply_by_double"]
    assert Fraction(bound) <= proved + Fraction(102, 100) * U**2


@pytest.mark.parametrize(("length", "levels"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (1024, 10), (1025, 11)])
def test_the_bound_of_a_row_sum_counts_each_halving(length: int, levels: int) -> None:
    assert dd.sum_error(length) == pytest.approx(1.01 * levels * dd.ADD_ERROR, rel=1e-12, abs=0)


def test_parts_of_a_split_number_overlap_in_no_bit_and_their_products_are_exact() -> None:
    values = adversarial(30, (1.0, -1.0))
    upper, lower = dd.split(values)
    assert exact((upper, lower)) == exactly(values)
    assert (np.abs(lower) <= np.spacing(np.abs(values)) * 2.0**26).all()
    for a, b in ((upper, upper), (upper, lower), (lower, lower)):
        assert exactly(a * b) == [x * y for x, y in zip(exactly(a), exactly(b), strict=True)]
