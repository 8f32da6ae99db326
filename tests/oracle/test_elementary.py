"""The error of NumPy's functions, as measured, is the one that another code base finds."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest

from gradlab.oracle.elementary import ELEMENTARY, Elementary, _enclose, errors_of, largest_error, sample_arguments
from gradlab.oracle.ulp import is_narrow
from gradlab.problems.dtypes import DTYPE_NAMES, format_of

FUNCTIONS = {function.name: function for function in ELEMENTARY}
IN_MPMATH = {
    "exp": mpmath.exp,
    "exp2": lambda x: mpmath.mpf(2) ** x,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "expm1": mpmath.expm1,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_the_error_at_the_worst_argument_is_what_mpmath_says(name: str, dtype: str) -> None:
    function, fmt = FUNCTIONS[name], format_of(dtype)
    found = largest_error(function, dtype, sample_arguments(function, dtype, 500))
    got = float(function.numpy(np.array([found.argument]).astype(fmt.dtype)).astype(np.float64)[0])
    with mpmath.workdps(60):
        exact = IN_MPMATH[name](mpmath.mpf(found.argument))
        exponent = max(int(mpmath.floor(mpmath.log(abs(exact), 2))), fmt.min_exponent) - fmt.precision + 1
        ulp = float(abs(got - exact) / mpmath.mpf(2) ** exponent)
    assert found.ulp == pytest.approx(ulp, rel=1e-4, abs=1e-4)
    assert found.answer == got


@pytest.mark.parametrize("function", ELEMENTARY, ids=list(FUNCTIONS))
@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_samples_stay_where_the_function_is_a_normal_number(function: Elementary, dtype: str) -> None:
    fmt = format_of(dtype)
    arguments = function.sample(fmt, np.linspace(0, 1, 1001)[:-1])
    with np.errstate(over="ignore"):
        values = getattr(np, function.name)(arguments)
    assert np.isfinite(values).all()
    assert (np.abs(values) <= fmt.largest).all()


def test_a_function_that_is_off_is_found_out() -> None:
    off = replace(FUNCTIONS["exp"], numpy=lambda x: np.exp(x) * (1 + 2.0**-20))
    assert largest_error(off, "float64", sample_arguments(off, "float64", 100)).ulp > 2**31


def test_the_largest_error_is_the_largest_of_all() -> None:
    arguments = sample_arguments(FUNCTIONS["exp"], "float32", 100)
    errors = errors_of(FUNCTIONS["exp"], "float32", arguments, np.exp(arguments))
    found = largest_error(FUNCTIONS["exp"], "float32", arguments)
    assert (found.ulp, found.argument) == (errors.max(), arguments[errors.argmax()])


def test_an_answer_that_is_no_number_is_the_largest_error() -> None:
    broken = replace(FUNCTIONS["exp"], numpy=lambda x: np.where(x == 2, np.nan, np.exp(x)))
    found = largest_error(broken, "float64", np.array([1.0, 2.0, 3.0]))
    assert (found.ulp, found.argument) == (np.inf, 2.0)


def test_the_same_arguments_are_drawn_every_time() -> None:
    first, second = (sample_arguments(FUNCTIONS["exp"], "float32", 100) for _ in range(2))
    np.testing.assert_array_equal(first, second)


SHARES = np.linspace(0, 1, 1001)[:-1]


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_arguments_of_exp_reach_from_the_smallest_normal_result_almost_to_the_largest(name: str) -> None:
    fmt = format_of(name)
    arguments = FUNCTIONS["exp"].sample(fmt, SHARES)
    lowest, highest = np.log(fmt.smallest_normal), np.log(fmt.largest)
    assert lowest == arguments.min()
    assert (highest - lowest) * 0.99 < arguments.max() - lowest < highest - lowest
    assert np.ptp(np.diff(arguments)) < (highest - lowest) / 1e6  # uniform


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_arguments_of_log1p_reach_from_the_smallest_normal_number_to_the_largest(name: str) -> None:
    fmt = format_of(name)
    powers = np.log2(FUNCTIONS["log1p"].sample(fmt, SHARES))
    assert powers[0] == np.log2(fmt.smallest_normal)
    np.testing.assert_allclose(powers[-1] + powers[1] - powers[0], np.log2(fmt.largest))  # share 1 is never drawn
    assert np.ptp(np.diff(powers)) < 1e-9  # log-uniform


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_half_of_the_arguments_of_log_lie_in_a_half_to_two_and_half_over_all_numbers(name: str) -> None:
    fmt = format_of(name)
    arguments = FUNCTIONS["log"].sample(fmt, SHARES)
    near, far = arguments[SHARES >= 0.5], arguments[SHARES < 0.5]
    assert near.min() == 0.5
    assert 1.99 < near.max() < 2
    assert far.min() == fmt.smallest_normal
    assert np.log2(far.max()) > 0.99 * np.log2(fmt.largest)


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_arguments_of_expm1_are_of_both_signs_and_as_small_as_normal_numbers_are(name: str) -> None:
    fmt = format_of(name)
    arguments = FUNCTIONS["expm1"].sample(fmt, SHARES)
    wide = arguments[(SHARES >= 0.25) & (SHARES < 0.5)]
    assert wide.min() == np.log(fmt.smallest_normal)
    assert wide.max() > 0.95 * np.log(fmt.largest)
    powers = np.log2(np.abs(arguments[SHARES >= 0.5]))
    np.testing.assert_allclose(powers[:250], powers[250:])  # of both signs alike
    np.testing.assert_allclose(powers[249] + powers[1] - powers[0], np.log2(fmt.precision))  # share 1 is never drawn
    assert powers[0] == np.log2(fmt.smallest_normal)
    np.testing.assert_array_equal(np.sign(arguments[SHARES >= 0.5]), np.repeat([1, -1], 250))
    near = arguments[SHARES < 0.25]
    assert near.min() == -0.5
    assert 0.49 < near.max() < 0.5
    assert np.ptp(np.diff(near)) < 1e-12  # uniform


@pytest.mark.parametrize("function", ELEMENTARY, ids=list(FUNCTIONS))
def test_the_exact_values_are_known_far_better_than_they_are_rounded(function: Elementary) -> None:
    fmt = format_of("float64")
    assert is_narrow(_enclose(function, function.sample(fmt, SHARES)), fmt).all()
