"""exp in double-double stays within its proved bound, and the bound says something."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from gradlab.oracle.fast.exponential import EXP_ERROR, LOWEST_ARGUMENT, constants, exp_parts, expm1
from gradlab.oracle.fast.row_softmax import NEGLIGIBLE_EXPONENT

Array = np.ndarray[Any, np.dtype[Any]]
STEP = np.log(2) / 4096
HALF_ULP = 2.0**-53


def near_halfway_points() -> Array:
    """Where the reduced argument is largest: one float64 either side of (k + 1/2) log(2)/4096."""
    middle = -(np.arange(0, 12_000_000, 97_003) + 0.5) * STEP
    return np.concatenate([middle, np.nextafter(middle, 0), np.nextafter(middle, -3000)])


def near_table_points() -> Array:
    """Where the reduced argument nearly vanishes: one float64 either side of k log(2)/4096."""
    middle = -np.arange(1, 12_000_000, 101_009) * STEP
    return np.concatenate([middle, np.nextafter(middle, 0), np.nextafter(middle, -3000)])


ARGUMENTS = {
    "the ends of the range": np.array([0.0, -0.0, -5e-324, -1e-300, -1e-30, LOWEST_ARGUMENT, -2047.9999999999998]),
    "halfway points": near_halfway_points(),
    "table points": near_table_points(),
    "every binade": -(2.0 ** np.arange(-1000, 11.0, 7.0)) * 1.999,
    "moderate": -np.random.default_rng(1).uniform(0, 40, 400),
    "the far end": -np.random.default_rng(2).uniform(2000, 2048, 400),
}
TAILS = {"none": 0.0, "largest": HALF_ULP, "smallest": -HALF_ULP, "some": 0.37 * HALF_ULP}


def relative_errors(high: Array, low: Array) -> list[float]:
    parts = [part.tolist() for part in exp_parts((high, low))]
    errors = []
    with mpmath.workdps(60):
        for d_h, d_l, f_h, f_l, q in zip(high.tolist(), low.tolist(), *parts, strict=True):
            exact = mpmath.exp(mpmath.mpf(d_h) + mpmath.mpf(d_l))
            got = mpmath.ldexp(mpmath.mpf(f_h) + mpmath.mpf(f_l), q)
            errors.append(float(abs(got / exact - 1)))
    return errors


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_the_error_is_within_the_bound(arguments: str, tail: str) -> None:
    high = ARGUMENTS[arguments]
    assert max(relative_errors(high, high * TAILS[tail])) <= EXP_ERROR


def test_the_bound_is_within_a_factor_16_of_what_happens() -> None:
    high = np.concatenate([ARGUMENTS["the far end"], ARGUMENTS["halfway points"]])
    assert max(relative_errors(high, high * TAILS["some"])) >= EXP_ERROR / 16


def proved() -> float:
    """The sum of the three steps of the module's proof, from the sizes of what is rounded in each."""
    u, step = 2.0**-53, math.log(2) / 4096
    multiple = 2048 / step + 1
    third = multiple * 2.0**-67
    r, low = step / 2 + 2.0**-40 + third, 2.0**-42 + third  # |r_h| and |r_l|
    reduction = multiple * 2.0**-121 + u * third + u * low
    rest = r**3 / 6 * 1.0001
    cross = low * (r + low / 2)
    terms = 8.2 * u * rest + 4 * u * cross + r**7 / 5040 * 1.0001
    left = u * r * (1 + 2.0**-13)  # of r_h + a
    tails = [cross + u * r * r / 2, rest + cross + u * r * r / 2, low + left]
    added = u * (sum(tails) + rest + low + left)
    y_low = rest + cross + low + left
    y = (reduction + terms + added) * 1.0001
    product = y + 4 * u * y_low * 1.1 + 2.0**-53 * y_low + 2.0**-105
    return product / (1 - 2.0**-13)


def test_expm1_of_the_largest_remainders_is_within_what_its_step_of_the_proof_comes_to() -> None:
    rng = np.random.default_rng(4)
    high = 2.0**-13.4 * np.concatenate([np.linspace(-1, 1, 401), rng.uniform(0.9, 1, 400) * rng.choice([-1, 1], 400)])
    low = 2.0**-41.4 * rng.uniform(-1, 1, high.size)
    found = expm1((high, low))
    with mpmath.workdps(60):
        for r_h, r_l, y_h, y_l in zip(*(part.tolist() for part in (high, low, *found)), strict=True):
            off = mpmath.mpf(y_h) + mpmath.mpf(y_l) - mpmath.expm1(mpmath.mpf(r_h) + mpmath.mpf(r_l))
            assert abs(off) <= 2.0**-91.5, (r_h, r_l)


def test_the_table_has_an_entry_for_each_step_of_a_binade() -> None:
    found = constants()
    assert found.table_high.shape == found.table_low.shape == (4096,)
    assert found.per_step == float(1 / (math.log(2) / 4096))


def test_the_bound_is_what_the_proof_comes_to_and_less_than_twice_that() -> None:
    assert proved() < EXP_ERROR < 2 * proved()


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_the_pair_is_normalised_and_near_one(arguments: str) -> None:
    high, low, _ = exp_parts((ARGUMENTS[arguments], ARGUMENTS[arguments] * 0.0))
    np.testing.assert_array_equal(high + low, high)
    assert high.min() > 1 - 2.0**-13
    assert high.max() < 2 + 2.0**-12


def test_exp_of_zero_is_one_exactly() -> None:
    parts = exp_parts((np.zeros(1), np.zeros(1)))
    assert [part.item() for part in parts] == [1.0, 0.0, 0]


def test_multiples_of_the_reduction_constants_are_exact() -> None:
    first, second, third = constants().step
    largest = int(-LOWEST_ARGUMENT / STEP) + 1
    for multiple in (largest, largest - 1, 2 ** (largest.bit_length() - 1) - 1):
        assert Fraction(first * multiple) == Fraction(first) * multiple
        assert Fraction(second * multiple) == Fraction(second) * multiple
    assert significant_bits(first) + largest.bit_length() <= 53  # so that no multiple up to the largest is rounded
    assert significant_bits(second) + largest.bit_length() <= 53
    assert abs(second) <= 2.0**-42
    assert abs(third) <= 2.0**-67


def significant_bits(value: float) -> int:
    """How many bits of the value there are from its first 1 to its last."""
    numerator = abs(Fraction(value).numerator)
    return (numerator // (numerator & -numerator)).bit_length()


def test_the_parts_of_the_constant_are_multiples_of_the_last_place_of_the_least_argument_that_is_reduced() -> None:
    last_place = Fraction(float(np.spacing(STEP / 2)))
    assert all((Fraction(part) / last_place).denominator == 1 for part in constants().step[:2])


def test_what_is_left_out_is_below_its_bound_and_the_bound_is_the_least_power_of_two() -> None:
    with mpmath.workdps(60):
        bits = mpmath.mpf(LOWEST_ARGUMENT) / mpmath.log(2)
        assert mpmath.floor(bits) + 1 == NEGLIGIBLE_EXPONENT


def test_the_three_parts_of_the_constant_add_up() -> None:
    with mpmath.workdps(60):
        rest = mpmath.log(2) / 4096 - sum(mpmath.mpf(part) for part in constants().step)
        assert abs(rest) <= mpmath.ldexp(1, -121)


def test_the_table_holds_the_roots_of_two() -> None:
    found = constants()
    with mpmath.workdps(60):
        for j in range(0, 4096, 31):
            entry = mpmath.mpf(found.table_high[j].item()) + mpmath.mpf(found.table_low[j].item())
            assert abs(entry / mpmath.power(2, mpmath.mpf(j) / 4096) - 1) <= mpmath.ldexp(1, -105)
