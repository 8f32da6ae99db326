"""What the checks of sizes put to an implementation, and what they compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.checks.check import run
from gradlab.checks.sizes import CALLS, answer_is_right_at_this_size, spelled_answer, worst_place
from gradlab.checks.table import CHECKS, applicable
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.implementations.shifted import shifted
from gradlab.problems.objective import Objective
from gradlab.problems.patterns import PERIOD
from gradlab.problems.problem import Array, Problem
from gradlab.problems.sized import problem_of, repeated_problem
from gradlab.problems.sizes import Case
from gradlab.result import Fact, Result, worst_result

BY_NAME = {check.name: check for check in CHECKS}
Function = Callable[[Array, Array], Any]


def case(n_rows: int, n_classes: int, **changes: str) -> Problem:
    plain = {"dtype": "float32", "integers": "int64", "layout": "C order", "labels": "spread", "option": "none"}
    return problem_of(Case(n_rows, n_classes, **{**plain, **changes}), Objective())


def found(function: Function, problem: Problem) -> Result:
    (check,) = applicable(Claims(), problem)
    return worst_result(check.name, problem, run(check, Implementation("one", function), problem))


def test_the_other_checks_are_not_asked_of_large_problems() -> None:
    assert [check.group for check in applicable(Claims(), case(3, 5000))] == ["sizes"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 2), (13, 7), (70_001, 3), (3, 70_001), (257, 300)])
def test_sound_code_passes(shape: tuple[int, int], dtype: str) -> None:
    assert found(shifted, case(*shape, dtype=dtype)).passed


@pytest.mark.parametrize("row", [0, 12, 13, 1024, 69_999])
@pytest.mark.parametrize("shape", [(70_000, 3), (70_000, 40)])
def test_one_wrong_row_among_many_is_named(shape: tuple[int, int], row: int) -> None:
    def wrong(logits: Array, labels: Array) -> Any:
        loss, gradient = shifted(logits, labels)
        gradient[row] = 0
        return loss, gradient

    result = found(wrong, case(*shape))
    assert not result.passed
    assert result.where.startswith(f"gradient[{row}, ")


@pytest.mark.parametrize("column", [0, 5, 65_536, 70_000])
def test_one_wrong_class_among_many_is_named(column: int) -> None:
    def wrong(logits: Array, labels: Array) -> Any:
        loss, gradient = shifted(logits, labels)
        gradient[1, column] = 1
        return loss, gradient

    assert found(wrong, case(2, 70_001)).where == f"gradient[1, {column}]"


def test_a_wrong_loss_is_told_apart_from_a_wrong_gradient() -> None:
    def wrong(logits: Array, labels: Array) -> Any:
        loss, gradient = shifted(logits, labels)
        return loss * np.float32(1.1), gradient

    assert found(wrong, case(40, 70)).where == "loss"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_found(value: float) -> None:
    def wrong(logits: Array, labels: Array) -> Any:
        loss, gradient = shifted(logits, labels)
        gradient[1, 2] = value
        return loss, gradient

    assert not found(wrong, case(4, 6)).passed


def test_the_call_has_the_layout_and_the_integers_of_the_problem() -> None:
    seen = []

    def note(logits: Array, labels: Array) -> Any:
        seen.append((logits.flags.f_contiguous, labels.dtype.name))
        return shifted(logits, labels)

    problem = case(5, 7, layout="Fortran order", integers="uint16")
    assert spelled_answer(Implementation("one", note), problem).fault is None
    assert seen == [(True, "uint16")]


@pytest.mark.parametrize("layout", ["C order", "Fortran order", "every other row of a taller array"])
@pytest.mark.parametrize("name", ["logits", "labels"])
def test_what_a_call_writes_into_its_arguments_is_told_in_any_layout(layout: str, name: str) -> None:
    def overwrites(logits: Array, labels: Array) -> Any:
        answer = shifted(logits, labels)
        {"logits": logits, "labels": labels}[name][-1] = 3
        return answer

    problem = case(6, 7, layout=layout, integers="int32")
    assert list(spelled_answer(Implementation("one", overwrites), problem).written) == [name]
    (first, *_) = answer_is_right_at_this_size(Implementation("one", overwrites), problem)
    assert isinstance(first, Fact)
    assert first.observed == f"its {name} are changed"


def test_integers_may_be_refused() -> None:
    def only_int64(logits: Array, labels: Array) -> Any:
        if labels.dtype != np.int64:
            raise TypeError("labels must be int64")
        return shifted(logits, labels)

    assert found(only_int64, case(5, 7, integers="uint8")).passed


def test_code_without_room_for_its_answer_is_not_wrong() -> None:
    def greedy(logits: Array, labels: Array) -> Any:
        raise MemoryError

    assert found(greedy, case(5, 7)).passed


def ring(count: int, least: int) -> Function:
    buffers: list[Array] = []

    def function(logits: Array, labels: Array) -> Any:
        loss, gradient = shifted(logits, labels)
        if gradient.size < least:
            return loss, gradient
        buffers.append(gradient if len(buffers) < count else buffers[-count])
        buffers[-1][...] = gradient
        return loss, buffers[-1]

    return function


@pytest.mark.parametrize("shape", [(4, 5), (40, 70)])
@pytest.mark.parametrize("count", range(1, CALLS - 1))
def test_buffers_that_are_handed_out_in_turn_are_met_again(count: int, shape: tuple[int, int]) -> None:
    assert not found(ring(count, 0), repeated_problem(shape, "float32", Objective())).passed


def test_a_state_that_changes_the_first_answer_is_found() -> None:
    calls: list[int] = []

    def drifts(logits: Array, labels: Array) -> Any:
        calls.append(1)
        loss, gradient = shifted(logits, labels)
        return loss, gradient * np.float32(1 if len(calls) < 5 else 1.5)

    assert not found(drifts, repeated_problem((4, 5), "float32", Objective())).passed


@pytest.mark.parametrize("n_rows", [1, PERIOD, PERIOD + 1, 1000])
def test_the_worst_place_is_that_of_a_plain_comparison(n_rows: int) -> None:
    rng = np.random.default_rng(n_rows)
    expected, allowed = rng.normal(size=(min(n_rows, PERIOD), 17)), rng.uniform(1, 2, (min(n_rows, PERIOD), 17))
    kinds = np.arange(n_rows) % PERIOD
    seen = expected[kinds] + rng.normal(size=(n_rows, 17))
    ratio = np.abs(seen - expected[kinds]) / allowed[kinds]
    row, column = worst_place(seen, expected, allowed)
    assert ratio[row, column] == ratio.max()
