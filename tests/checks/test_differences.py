"""Finite differences: three routes, exact steps, few evaluations; small errors are caught and sound code passes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.checks.check import Findings, NoAnswerError
from gradlab.checks.differences import (
    DIRECTIONS,
    along_classes,
    along_coordinates,
    along_directions,
    gradient_is_the_derivative_of_its_own_loss,
)
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.implementations.every_option import every_option
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.placing import make_problem
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from gradlab.result import Comparison

Function = Callable[..., Any]
Route = Callable[[Implementation, Problem], Findings]
PLAIN = Objective()
BY_ROW = Claims(reduction=("none", "mean", "sum"), options=("label_smoothing", "class_weights"))
BY_BATCH = Claims(reduction=("mean", "sum"), options=("label_smoothing", "class_weights"))
ROUTES: dict[str, Route] = {"classes": along_classes, "coordinates": along_coordinates, "directions": along_directions}


def drawn(dtype: str, shape: tuple[int, int], objective: Objective = PLAIN, size: float = 2.0) -> Problem:
    rng = np.random.default_rng([*shape])
    logits = rng.uniform(-size, size, shape)
    return make_problem(format_of(dtype), logits, rng.integers(0, shape[1], shape[0])).replace(objective=objective)


def named(function: Function, claims: Claims = BY_ROW) -> Implementation:
    return Implementation("theirs", function, claims)


def worst(findings: Findings) -> float:
    return max(float(found.ratio.max()) for found in findings if isinstance(found, Comparison))


def off_in_one_entry(relative: float) -> Function:
    """The right loss, and a gradient with one entry off by this much."""

    def function(logits: Array, labels: Array, **options: Any) -> Any:
        loss, gradient = every_option(logits, labels, **options)
        gradient[-1, 0] *= gradient.dtype.type(1 + relative)
        return loss, gradient

    return function


def recording(seen: list[Array]) -> Function:
    def function(logits: Array, labels: Array, **options: Any) -> Any:
        seen.append(logits.astype(np.float64))
        return every_option(logits, labels, **options)

    return function


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "objective",
    [Objective(), Objective("sum"), Objective(label_smoothing=0.2), Objective(class_weights=(0.5, 0.0, 3.0))],
    ids=["mean", "sum", "smoothed", "weighted"],
)
@pytest.mark.parametrize("size", [0.0, 2.0, 15.0])
def test_sound_implementation_passes(route: str, dtype: str, objective: Objective, size: float) -> None:
    assert worst(ROUTES[route](named(every_option), drawn(dtype, (5, 3), objective, size))) <= 1


@pytest.mark.parametrize("route", ["classes", "coordinates"])
def test_relative_error_of_a_millionth_in_one_entry_is_caught_in_float64(route: str) -> None:
    problem = drawn("float64", (4, 5))
    assert worst(ROUTES[route](named(off_in_one_entry(1e-6)), problem)) > 1


@pytest.mark.parametrize("route", ["classes", "coordinates"])
def test_relative_error_of_a_hundredth_in_one_entry_is_caught_in_float32(route: str) -> None:
    problem = drawn("float32", (4, 5))
    assert worst(ROUTES[route](named(off_in_one_entry(1e-2)), problem)) > 1


def test_relative_error_of_a_millionth_in_one_entry_is_caught_among_many_rows_and_classes() -> None:
    assert worst(along_classes(named(off_in_one_entry(1e-6)), drawn("float64", (32, 100)))) > 1


def test_error_that_cancels_in_every_row_and_column_is_caught_along_directions() -> None:
    def function(logits: Array, labels: Array, **options: Any) -> Any:
        loss, gradient = every_option(logits, labels, **options)
        signs = (-1.0) ** np.add.outer(*map(np.arange, gradient.shape))
        return loss, gradient + 1e-3 * signs

    assert worst(along_directions(named(function), drawn("float64", (8, 16)))) > 1


def test_gradient_of_zero_is_caught_along_directions() -> None:
    zero = named(lambda logits, labels, **options: (every_option(logits, labels, **options)[0], 0 * logits))
    assert worst(along_directions(zero, drawn("float32", (64, 100)))) > 1


ROUTE_TAKEN = {
    "rows": (BY_ROW, (32, 100), "gradient[{}, {}]", 32 * (2 * 100 + 1)),
    "small batch": (BY_BATCH, (8, 8), "gradient[{}, {}]", 8 * (2 * 64 + 1)),
    "large batch": (BY_BATCH, (13, 5), "slope along Gaussian direction {}", 13 * (2 * DIRECTIONS + 1)),
}


@pytest.mark.parametrize("name", ROUTE_TAKEN)
def test_route_and_number_of_rows_evaluated_follow_from_claims_and_size(name: str) -> None:
    claims, shape, quantity, n_rows = ROUTE_TAKEN[name]
    seen: list[Array] = []
    found = gradient_is_the_derivative_of_its_own_loss(named(recording(seen), claims), drawn("float64", shape))
    assert [one.quantity for one in found if isinstance(one, Comparison)] == [quantity]
    assert sum(len(logits) for logits in seen) == n_rows


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("size", [0.01, 1.0])
@pytest.mark.parametrize("route", ["classes", "coordinates"])
def test_every_step_is_exactly_the_same_power_of_two(route: str, dtype: str, size: float) -> None:
    seen: list[Array] = []
    ROUTES[route](named(recording(seen)), drawn(dtype, (3, 4), size=size))
    centre, stacked = seen[0], np.concatenate(seen[1:]).reshape(-1, 3, 4)
    moves = stacked - centre
    steps = np.unique(np.abs(moves[moves != 0]))
    assert len(steps) == 1
    assert np.frexp(steps[0])[0] == 0.5
    moved = np.count_nonzero(moves, axis=(1, 2))
    assert set(moved) == {3 if route == "classes" else 1}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moves_along_a_direction_are_exact_and_opposite(dtype: str) -> None:
    seen: list[Array] = []
    along_directions(named(recording(seen)), drawn(dtype, (6, 12)))
    centre, above, below = seen[0], np.array(seen[1::2]), np.array(seen[2::2])
    np.testing.assert_array_equal(above - centre, centre - below)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_error_of_the_size_that_is_stated_is_caught_but_for_the_probability_that_is_stated(dtype: str) -> None:
    problem, rng = drawn(dtype, (20, 10), Objective("sum")), np.random.default_rng(6)
    _, exact = every_option(problem.logits, problem.targets, reduction="sum")
    size, probability = stated(along_directions(named(every_option), problem))
    assert probability == 0.001
    assert size < (0.5 if dtype == "float32" else 1e-6)
    ratios = []
    for _ in range(100):
        noise = rng.normal(size=exact.shape)
        noise *= size * np.linalg.norm(exact) / np.linalg.norm(noise)
        ratios.append(worst(along_directions(named(with_error(noise)), problem)))
    assert np.count_nonzero(np.array(ratios) <= 1) <= 2  # of 100, more than 2 have a chance of 1.5e-4


def stated(findings: Findings) -> tuple[float, float]:
    source = "".join(found.source for found in findings if isinstance(found, Comparison))
    ((size, probability),) = re.findall(r"a relative error of (\S+) is missed with probability (\S+)", source)
    return float(size), float(probability)


def with_error(noise: Array) -> Function:
    def function(logits: Array, labels: Array, **options: Any) -> Any:
        loss, gradient = every_option(logits, labels, **options)
        return loss, gradient.astype(np.float64) + noise

    return function


def test_implementation_that_overwrites_its_argument_is_judged_by_its_values() -> None:
    def in_place(logits: Array, labels: Array, **options: Any) -> Any:
        logits -= logits.max(axis=1, keepdims=True)
        return every_option(logits, labels, **options)

    assert worst(along_classes(named(in_place), drawn("float64", (6, 5)))) <= 1


def test_implementation_that_fails_on_copies_in_one_call_is_a_finding() -> None:
    def small_only(logits: Array, labels: Array, **options: Any) -> Any:
        if len(logits) > 4:
            raise MemoryError("too many rows")
        return every_option(logits, labels, **options)

    place = r"\(test_differences.py, line \d+\)"
    told = rf"raised MemoryError: too many rows {place} \(copies of the batch in one call\)"
    with pytest.raises(NoAnswerError, match=told):
        along_classes(named(small_only), drawn("float64", (4, 5)))
