"""A call is timed by the process that judges, and what is timed is judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.judgement import nothing
from gradlab.judgement.cost import ROUNDS, SHAPE, cost_of
from gradlab.problems.problem import Array
from gradlab.targets.load import load


def shifted() -> Implementation:
    (found,) = load("shifted", {})
    return found


def cost_with(function: Callable[[Array, Array], Any]) -> Any:
    return cost_of(Implementation("one", function, Claims()), "float32", 0, nothing.loss)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_function_has_a_time_over_yardstick_and_limit(dtype: str) -> None:
    cost = cost_of(shifted(), dtype, 0, nothing.loss)
    assert not cost.fault
    assert not cost.note
    assert cost.seconds is not None
    assert cost.over_limit is not None
    assert cost.over_yardstick is not None
    assert 0 < cost.over_yardstick < cost.over_limit


def test_a_function_that_does_twice_as_much_takes_longer() -> None:
    right = shifted().function

    def eightfold(logits: Array, labels: Array) -> Any:
        for _ in range(7):
            right(logits, labels)
        return right(logits, labels)

    one, eight = cost_with(right), cost_with(eightfold)
    assert eight.over_yardstick > 2 * one.over_yardstick


@pytest.mark.parametrize("number", range(ROUNDS))
def test_one_wrong_answer_among_the_timed_ones_is_found(number: int) -> None:
    right, calls = shifted().function, []

    def wrong_once(logits: Array, labels: Array) -> Any:
        value, gradient = right(logits, labels)
        calls.append(None)
        if len(calls) == number + 1:
            gradient[-1, -1] *= 1.01
        return value, gradient

    cost = cost_with(wrong_once)
    assert cost.seconds is None
    assert "a timed call is not what it must be: gradient" in cost.fault


def test_no_logits_come_twice() -> None:
    seen: set[bytes] = set()

    def note(logits: Array, labels: Array) -> Any:
        assert logits.shape == SHAPE
        seen.add(logits.tobytes())
        return shifted().function(logits, labels)

    cost_with(note)
    assert len(seen) == ROUNDS


def test_what_raises_or_has_another_shape_has_no_cost() -> None:
    def fails(logits: Array, labels: Array) -> Any:
        raise RuntimeError("no more")

    assert cost_with(fails).fault.startswith("a timed call raised RuntimeError: no more")
    assert cost_with(lambda logits, labels: (0.0, np.zeros(3))).fault


def test_a_clock_that_a_function_patches_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    assert cost_with(shifted().function).seconds > 1e-5


def test_layers_and_other_derivatives_are_not_timed() -> None:
    claims = Claims(derivative="hessian")
    cost = cost_of(Implementation("one", lambda *given: None, claims), "float64", 0, nothing.loss)
    assert cost.note
    assert not cost.fault
