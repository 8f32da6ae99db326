"""What is known of the errors of NumPy's functions is complete, true, and what the bounds stand on."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from gradlab.bounds.rounding_counts import ACCURATE_BETA, ASSUMED_BY_ACCURATE, BETA
from gradlab.measure.function_errors import (
    DATA,
    KnownError,
    decode,
    encode,
    known_errors,
    this_build,
    worst_arguments,
)
from gradlab.oracle.elementary import ELEMENTARY, errors_of
from gradlab.problems.dtypes import as_dtype

FUNCTIONS = {function.name: function for function in ELEMENTARY}
DTYPES = ("float32", "float64")
KNOWN = [error for found in known_errors().values() for error in found.values()]
OF_THIS_BUILD = list(known_errors().get(this_build(), {}).values())


def named(error: KnownError) -> str:
    return f"{error.function} {error.dtype}"


def test_every_build_has_every_function_in_both_dtypes() -> None:
    assert all(found.keys() == set(product(FUNCTIONS, DTYPES)) for found in known_errors().values())


def test_float32_is_exhaustive_and_float64_searched() -> None:
    kinds = {(one.dtype, one.how, one.n_arguments == 2**32, one.at_most is None) for one in KNOWN}
    assert kinds == {("float32", "exhaustive", True, False), ("float64", "searched", False, True)}


def test_the_code_for_each_set_of_instructions_was_measured() -> None:
    sets = [set(build.numpy_simd) for build in known_errors()]
    assert any({"X86_V3", "X86_V4"} <= simd for simd in sets)
    assert any("X86_V3" in simd and "X86_V4" not in simd for simd in sets)
    assert {"X86_V2"} in sets


@pytest.mark.parametrize("error", KNOWN, ids=named)
def test_the_error_of_the_answer_is_what_ball_arithmetic_says(error: KnownError) -> None:
    argument, answer = (np.array([value], dtype=as_dtype(error.dtype)) for value in (error.argument, error.answer))
    assert (float(argument[0]), float(answer[0])) == (error.argument, error.answer)
    assert errors_of(FUNCTIONS[error.function], error.dtype, argument, answer)[0] == error.ulp


@pytest.mark.parametrize("error", [one for one in KNOWN if one.at_most is not None], ids=named)
def test_the_argument_is_the_worst_of_all(error: KnownError) -> None:
    assert error.at_most == pytest.approx(
        error.ulp, abs=2.0**-19
    )  # the width of an enclosure, and the walk's own slack


@pytest.mark.parametrize("error", OF_THIS_BUILD, ids=named)
def test_the_answers_of_this_build_are_given_again(error: KnownError) -> None:
    argument = np.array([error.argument], dtype=as_dtype(error.dtype))
    assert float(FUNCTIONS[error.function].numpy(argument)[0]) == error.answer


def largest(function: str, dtype: str) -> float:
    return max(max(one.ulp, one.at_most or 0) for one in KNOWN if (one.function, one.dtype) == (function, dtype))


def test_level_stable_allows_what_was_measured() -> None:
    assert all(largest(name, dtype) < BETA for name, dtype in product(FUNCTIONS, DTYPES))


def test_level_accurate_stands_on_what_was_measured() -> None:
    assert all(largest(name, dtype) < assumed for (name, dtype), assumed in ASSUMED_BY_ACCURATE.items())


def test_the_error_of_exp_is_rounded_up_to_the_next_twentieth_and_no_further() -> None:
    assert math.ceil(20 * largest("exp", "float32")) / 20 == ACCURATE_BETA


@pytest.mark.parametrize("function", ["exp", "log1p"])
def test_an_error_that_was_searched_for_is_rounded_up_to_a_whole_ulp_and_no_further(function: str) -> None:
    assert math.ceil(largest(function, "float64")) == ASSUMED_BY_ACCURATE[function, "float64"]


def test_the_file_is_what_its_contents_are_written_as() -> None:
    text = DATA.read_text(encoding="utf-8")
    assert encode(decode(text)) == text


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_worst_arguments_of_all_builds_come_with_their_neighbours(dtype: str) -> None:
    arguments = worst_arguments(known_errors(), "exp", dtype, 2).tolist()
    for error in (one for one in KNOWN if (one.function, one.dtype) == ("exp", dtype)):
        value = as_dtype(dtype).type(error.argument)
        below, above = np.nextafter(value, -np.inf), np.nextafter(value, np.inf)
        assert {float(below), float(value), float(above)} <= set(arguments)


def test_neighbours_that_are_no_numbers_are_left_out() -> None:
    error = KnownError("exp", "float32", "exhaustive", 1, 0.5, 0.5, float(np.finfo(np.float32).max), 1.0)
    known = {this_build(): {("exp", "float32"): error}}
    assert np.isfinite(worst_arguments(known, "exp", "float32", 3)).all()
