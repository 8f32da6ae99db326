"""What a call costs is told for losses of logits, and beside what it is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.judged import nothing
from gradlab.judgement.cost import Cost, cost_of
from gradlab.problems.problem import Array
from gradlab.targets.load import load

NOTHING = Implementation("nothing", nothing.nothing, Claims())


def cost_with(function: Any, dtype: str = "float32") -> Cost:
    return cost_of(Implementation("one", function, Claims()), dtype, NOTHING)


def right(logits: Array, labels: Array) -> Any:
    (found,) = load("shifted", {})
    return found.function(logits, labels)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_function_has_a_time_over_yardstick_and_limit(dtype: str) -> None:
    cost = cost_with(right, dtype)
    assert not cost.fault
    assert not cost.note
    assert cost.seconds
    assert cost.over_limit
    assert cost.over_yardstick
    assert cost.over_yardstick > 0
    assert cost.over_limit >= 1


def test_a_function_that_does_eight_times_as_much_takes_longer() -> None:
    def eightfold(logits: Array, labels: Array) -> Any:
        return [right(logits, labels) for _ in range(8)][-1]

    one, eight = cost_with(right).over_yardstick, cost_with(eightfold).over_yardstick
    assert one
    assert eight
    assert eight > 2 * one


@pytest.mark.parametrize("number", [2, 5, 10])
def test_one_wrong_answer_among_the_timed_ones_is_found(number: int) -> None:
    calls: list[int] = []

    def wrong_once(logits: Array, labels: Array) -> Any:
        value, gradient = right(logits, labels)
        calls.append(len(calls))
        if len(calls) == number:
            gradient[-1, -1] *= 1.01
        return value, gradient

    cost = cost_with(wrong_once)
    assert cost.seconds is None
    assert cost.fault == "its answer is wrong where it is timed"


def test_no_logits_come_twice() -> None:
    seen: list[bytes] = []

    def note(logits: Array, labels: Array) -> Any:
        seen.append(logits.tobytes())
        return right(logits, labels)

    cost_with(note)
    assert len(set(seen)) == len(seen) > 5


def test_what_raises_or_has_another_shape_has_no_cost() -> None:
    def fails(logits: Array, labels: Array) -> Any:
        raise RuntimeError("no more")

    assert cost_with(fails).fault.startswith("raised RuntimeError: no more")
    assert cost_with(lambda logits, labels: (0.0, np.zeros(3))).fault


def test_other_derivatives_are_not_timed() -> None:
    claims = Claims(derivative="hessian")
    cost = cost_of(Implementation("one", lambda *given: None, claims), "float64", NOTHING)
    assert cost.note
    assert not cost.fault
