"""The Hypothesis strategies: what they draw, and how small it shrinks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.options import REDUCTIONS, TARGETS
from gradlab.problems.problem import Problem
from gradlab.problems.strategies import ENTRIES, labels, logits, objectives, probabilities, problems

QUIET = settings(
    max_examples=60, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
# without the phase that explains, which goes on after shrinking and leaves find with another example
SEARCH = settings(QUIET, max_examples=1000, derandomize=False, phases=(Phase.generate, Phase.shrink))
OPTIONS = ("label_smoothing", "class_weights", "ignore_index")
EVERYTHING = partial(objectives, reductions=REDUCTIONS, targets=TARGETS, options=OPTIONS)


def examples(strategy: Any, n_examples: int = 60) -> list[Any]:
    """What the strategy draws first."""
    found: list[Any] = []

    @settings(QUIET, max_examples=n_examples, phases=(Phase.generate,))
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


def smallest(condition: Callable[[Problem], bool], **arguments: Any) -> tuple[list[list[float]], list[int]]:
    found = find(problems(**arguments), condition, settings=SEARCH, random=Random(1))
    return found.logits64.tolist(), found.targets.tolist()


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("entries", ENTRIES)
def test_logits_have_the_dtype_and_the_kind_of_entries_asked_for(dtype: str, entries: str) -> None:
    allowed: dict[str, Callable[[Problem], bool]] = {
        "moderate": lambda problem: problem.is_moderate or problem.format.name == "float16",
        "finite": lambda problem: problem.is_finite,
        "masked": lambda problem: bool(problem.rows_with_value.all()),
        "any": lambda problem: True,
    }
    for values in examples(logits(dtype, entries)):
        assert values.dtype == as_dtype(dtype)
        assert allowed[entries](Problem(values, np.zeros(len(values), np.int64)))


@pytest.mark.parametrize(("entries", "special"), [(k, v) for k, values in ENTRIES.items() for v in values])
def test_special_entries_do_come_up(entries: str, special: float) -> None:
    drawn = examples(logits("float32", entries), 200)
    seen = [np.isnan(values).any() if np.isnan(special) else (values == special).any() for values in drawn]
    assert any(seen)
    assert not all(seen)


def test_an_unknown_kind_of_entries_is_refused() -> None:
    with pytest.raises(ValueError, match="entries must be one of moderate, finite, masked, any, got 'wild'"):
        logits("float32", "wild")


def test_an_unknown_dtype_is_refused() -> None:
    with pytest.raises(ValueError, match="dtype must be one of"):
        logits("int8")


def test_shapes_stay_within_the_largest() -> None:
    shapes = {values.shape for values in examples(logits(max_shape=(2, 3)), 200)}
    assert shapes == {(rows, classes) for rows in (1, 2) for classes in (1, 2, 3)}


def test_large_shapes_are_drawn_too() -> None:
    assert max(values.size for values in examples(logits(max_shape=(30, 40)), 100)) > 400


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_finite_logits_are_moderate_at_times_and_reach_the_largest_number_at_times(dtype: str) -> None:
    drawn = [Problem(values, np.zeros(len(values), np.int64)) for values in examples(logits(dtype), 300)]
    largest = drawn[0].format.largest
    assert any(problem.is_moderate for problem in drawn)
    assert any(np.abs(problem.logits64).max() == largest for problem in drawn)


def test_labels_lie_within_the_classes() -> None:
    for drawn in examples(labels(5, 3)):
        assert drawn.dtype == np.int64
        assert drawn.shape == (5,)
        assert set(drawn) <= {0, 1, 2}


def test_labels_may_carry_the_ignored_one() -> None:
    assert {int(label) for drawn in examples(labels(5, 2, -100)) for label in drawn} == {0, 1, -100}


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_probabilities_are_finite_and_at_least_0(dtype: str) -> None:
    for drawn in examples(probabilities(dtype, 3, 4)):
        assert (drawn.dtype, drawn.shape) == (as_dtype(dtype), (3, 4))
        assert (drawn >= 0).all()
        assert (drawn <= 1).all()


def test_probabilities_sum_to_1_at_times_and_to_something_else_at_times() -> None:
    sums = np.concatenate([drawn.sum(axis=1) for drawn in examples(probabilities("float64", 2, 3))])
    assert (sums == 1).any()
    assert (sums != 1).any()


def test_objectives_have_no_more_than_is_asked_for() -> None:
    for drawn in examples(objectives(3)):
        assert (drawn.reduction, drawn.targets, drawn.options) == ("mean", "index", {})


def test_objectives_switch_each_option_on_and_off() -> None:
    drawn = examples(EVERYTHING(3), 200)
    assert {objective.reduction for objective in drawn} == set(REDUCTIONS)
    assert {objective.targets for objective in drawn} == set(TARGETS)
    for option in OPTIONS:
        assert {option in objective.options for objective in drawn} == {True, False}


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_problems_fit_their_objectives(dtype: str) -> None:
    for problem in examples(problems(dtype, EVERYTHING, "any"), 100):
        assert problem.logits.dtype == as_dtype(dtype)
        assert problem.targets.ndim == (1 if problem.objective.targets == "index" else 2)
        assert problem.family == "drawn"


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("entries", ENTRIES)
def test_the_simplest_problem_is_two_zeros(dtype: str, entries: str) -> None:
    assert smallest(lambda problem: True, dtype=dtype, entries=entries) == ([[0, 0]], [0])


SHRUNK: dict[str, tuple[Callable[[Problem], bool], tuple[list[list[float]], list[int]]]] = {
    "a label that is not the first": (lambda p: p.targets.max() > 0, ([[0, 0]], [1])),
    "three rows": (lambda p: p.n_rows >= 3 and p.n_classes > 1, ([[0, 0]] * 3, [0, 0, 0])),
    "four classes": (lambda p: p.n_classes >= 4, ([[0, 0, 0, 0]], [0])),
    "a positive logit": (lambda p: p.logits64[0, -1] > 0 and p.n_classes > 1, ([[0, 1]], [0])),
}


@pytest.mark.parametrize("case", SHRUNK)
def test_what_fails_shrinks_to_the_simplest_that_does(case: str) -> None:
    condition, expected = SHRUNK[case]
    assert smallest(condition, dtype="float32") == expected


def test_a_large_margin_shrinks_to_one_row_of_two_whole_numbers() -> None:
    rows, found_labels = smallest(
        lambda p: p.n_classes > 1 and bool((np.ptp(p.logits64, axis=1) > 17).any()), dtype="float32"
    )
    assert (np.shape(rows), found_labels) == ((1, 2), [0])
    assert all(value.is_integer() for value in rows[0])


def test_importing_the_strategies_leaves_the_settings_alone() -> None:
    code = "import hypothesis as h; before = repr(h.settings.default); import gradlab.problems.strategies; "
    code += "assert repr(h.settings.default) == before"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@settings(QUIET)
@given(st.data())
def test_a_strategy_can_be_drawn_from_inside_a_test(data: st.DataObject) -> None:
    problem = data.draw(problems("bfloat16", max_shape=(2, 2)))
    assert problem.logits.size <= 4
