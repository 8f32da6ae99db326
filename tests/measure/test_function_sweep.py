"""The walk over float32: no argument is passed over, and no error is understated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.measure.function_sweep import ALL, TRUTH_ULP, errors_in_ulp, sweep, sweep_here
from gradlab.oracle.elementary import ELEMENTARY, Elementary, errors_of, sample_arguments
from gradlab.oracle.intervals import Array

FUNCTIONS = {function.name: function for function in ELEMENTARY}
EXP = FUNCTIONS["exp"]
FROM_THREE = range(0x40400000, 0x40400000 + 2**17)  # the bits of [3, 3.03]
SLACK = TRUTH_ULP * 2.0**-29


def in_float32(changed: Callable[[Array, Array], Any]) -> Elementary:
    """exp, whose float32 answers are changed(arguments, answers)."""
    return replace(EXP, numpy=lambda x: changed(x, np.exp(x)) if x.dtype == np.float32 else np.exp(x))


@pytest.mark.parametrize("bits", [FROM_THREE[0], FROM_THREE[77_777], FROM_THREE[-1]])
def test_one_wrong_answer_of_all_is_found(bits: int) -> None:
    at = np.uint32(bits).view(np.float32)
    one_wrong = in_float32(lambda x, y: np.where(x == at, y * np.float32(1 + 2.0**-19), y))
    found = sweep_here(one_wrong, FROM_THREE)
    assert (found.bits, found.argument, found.n_arguments) == (bits, float(at), 2**17)
    assert 19 < found.at_most < 21  # the ULP of exp(3), which is 20.1, is 2^-19


def test_all_bit_patterns_are_asked() -> None:
    assert (ALL[0], ALL[-1], len(ALL)) == (0, 0xFFFFFFFF, 2**32)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_errors_are_those_of_ball_arithmetic_and_never_below(name: str) -> None:
    arguments = sample_arguments(FUNCTIONS[name], "float32", 2000)
    with np.errstate(under="ignore"):
        answers = FUNCTIONS[name].numpy(arguments)
    certified = errors_of(FUNCTIONS[name], "float32", arguments, answers)
    excess = errors_in_ulp(FUNCTIONS[name], arguments) - certified
    assert (excess > -(2.0**-20)).all()  # the width of an enclosure, which ball arithmetic adds
    assert (excess < 2 * SLACK).all()


def test_two_processes_find_what_one_does() -> None:
    bits = range(0, 2**32, 2**15)
    assert sweep(EXP, bits, 2) == sweep(EXP, bits, 1)


def test_progress_ends_at_the_number_of_arguments() -> None:
    seen: list[tuple[int, int]] = []
    sweep(EXP, FROM_THREE, 1, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2**17, 2**17)


@pytest.mark.parametrize("answer", [np.nan, np.inf, -np.inf])
def test_an_answer_that_is_no_number_where_there_is_one_is_infinitely_far_off(answer: float) -> None:
    broken = in_float32(lambda x, y: np.where(x == 3, np.float32(answer), y))
    found = sweep_here(broken, FROM_THREE)
    assert (found.at_most, found.argument) == (np.inf, 3.0)


def test_no_error_is_counted_where_there_is_no_value() -> None:
    arguments = np.array([-1, -np.inf, np.nan], dtype=np.float32)
    np.testing.assert_array_equal(errors_in_ulp(FUNCTIONS["log"], arguments), 0)


@pytest.mark.parametrize(("argument", "right"), [(88.72, False), (88.73, True), (np.inf, True)])
def test_infinity_is_right_from_where_the_value_rounds_to_it(argument: float, right: bool) -> None:
    infinite = in_float32(lambda x, y: np.full_like(y, np.inf))
    (error,) = errors_in_ulp(infinite, np.array([argument], dtype=np.float32))
    assert error == (0 if right else np.inf)


def test_the_wrong_infinity_is_wrong() -> None:
    negative = in_float32(lambda x, y: np.full_like(y, -np.inf))
    np.testing.assert_array_equal(errors_in_ulp(negative, np.array([100, np.inf], dtype=np.float32)), np.inf)


@pytest.mark.parametrize("above", [0, 1, TRUTH_ULP])
def test_beside_a_power_of_two_the_smaller_ulp_counts(above: int) -> None:
    truth = 1 + above * 2.0**-52
    function = replace(EXP, numpy=lambda x: np.full_like(x, 1 - 2.0**-23 if x.dtype == np.float32 else truth))
    (error,) = errors_in_ulp(function, np.array([0], dtype=np.float32))
    assert error == pytest.approx(2 + above * 2.0**-28 + SLACK, abs=1e-12)


@pytest.mark.parametrize("argument", [-90.0, -103.9, -104.0, -1000.0])
def test_subnormal_results_are_counted_in_the_smallest_number(argument: float) -> None:
    zero = in_float32(lambda x, y: np.zeros_like(y))
    (error,) = errors_in_ulp(zero, np.array([argument], dtype=np.float32))
    assert error == pytest.approx(np.exp(np.float64(np.float32(argument))) / 2.0**-149 + SLACK, rel=1e-12)
