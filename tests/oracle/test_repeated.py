"""Rows of few distinct logits: the enclosures by merged classes agree with the ordinary paths, and are as narrow."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gradlab.oracle.enclosure import Enclosures, Truth, enclose, enclose_by_balls, enclose_by_double_double
from gradlab.oracle.exact.canonical import row_kinds
from gradlab.oracle.exact.repeated import MAX_LEVELS, MAX_SHARES, MIN_CLASSES, answer_merged, merge_rows
from gradlab.oracle.ulp import is_narrow
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

Array = np.ndarray[Any, np.dtype[Any]]

REDUCTIONS = ("none", "sum", "mean")
LEVELS = {
    "equal": (0.0,),
    "one above": (0.0, -25.65),
    "three": (3.0, 2.5, -11.0),
    "far below": (0.0, -740.0, -742.5),
    "beyond exp": (0.0, -9.0e3),
    "huge": (3.0e4, -3.0e4),
    "signed zeros": (0.0, -0.0, -1.0),
}


def rows_of(levels: tuple[float, ...], dtype: str, n_classes: int) -> Problem:
    """One row for the label at each level: one class at the first level, the others in turns at all levels."""
    row = np.resize(np.array(levels[1:] or levels), n_classes)
    row[0] = levels[0]
    labels = [0, *range(1, len(levels))]
    return Problem(np.tile(row, (len(labels), 1)).astype(as_dtype(dtype)), np.array(labels))


def ends(values: Enclosures, place: tuple[int, ...]) -> tuple[Fraction, Fraction]:
    scale = Fraction(2) ** int(values.exponent[place])
    middle = Fraction(float(values.high[place])) + Fraction(float(values.low[place]))
    radius = Fraction(float(values.radius[place]))
    return (middle - radius) * scale, (middle + radius) * scale


def overlap(first: Enclosures, second: Enclosures) -> bool:
    pairs = ((ends(first, place), ends(second, place)) for place in np.ndindex(*first.shape))
    return all(one[0] <= other[1] and other[0] <= one[1] for one, other in pairs)


def agree(first: Truth, second: Truth) -> bool:
    parts = ("losses", "loss", "gradient")
    return all(overlap(getattr(first, part), getattr(second, part)) for part in parts)


def is_merged(problem: Problem) -> bool:
    return merge_rows(problem, row_kinds(problem).regular) is not None


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("levels", LEVELS.values(), ids=LEVELS)
def test_it_agrees_with_the_balls_of_every_class(levels: tuple[float, ...], dtype: str) -> None:
    problem = rows_of(levels, dtype, MIN_CLASSES)
    assert is_merged(problem)
    assert agree(enclose(problem), enclose_by_balls(problem))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("levels", LEVELS.values(), ids=LEVELS)
def test_it_agrees_with_double_double_for_each_reduction(levels: tuple[float, ...], reduction: str) -> None:
    problem = rows_of(levels, "float64", 1001).replace(objective=Objective(reduction))
    assert is_merged(problem)
    assert agree(enclose(problem), enclose_by_double_double(problem))


@pytest.mark.parametrize("sum_of_targets", [1.0, 2.5])
def test_it_agrees_with_the_balls_for_probabilities_on_few_classes(sum_of_targets: float) -> None:
    plain = rows_of((0.0, -3.0, -40.0), "float64", MIN_CLASSES)
    targets = np.zeros(plain.logits.shape)
    targets[:, [0, 5, MIN_CLASSES - 1]] = np.array([0.5, 0.25, 0.25]) * sum_of_targets
    problem = plain.replace(targets=targets, objective=Objective(targets="probability"))
    assert is_merged(problem)
    assert agree(enclose(problem), enclose_by_balls(problem))


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("levels", LEVELS.values(), ids=LEVELS)
def test_a_row_of_131072_classes_is_narrow_in_every_entry(levels: tuple[float, ...], dtype: str) -> None:
    problem = rows_of(levels, dtype, 2**17)
    truth = enclose(problem)
    assert is_narrow(truth.gradient, problem.format).all()
    assert is_narrow(truth.losses, problem.format).all()
    assert is_narrow(truth.loss, problem.format).all()


def test_a_million_classes_cost_as_many_balls_as_there_are_levels() -> None:
    problem = rows_of((0.0, -30.0), "float64", 2**20).rows(slice(1))
    merged = merge_rows(problem, np.array([0]))
    assert merged is not None
    assert sorted(merged[0].counts) == [1, 2**20 - 1]
    answers = answer_merged(problem, merged)
    loss = np.log1p((2**20 - 1) * np.exp(-30.0))
    np.testing.assert_allclose(answers.loss_intervals.nearest(), [loss], rtol=1e-12)
    np.testing.assert_allclose(answers.gradient.nearest()[0, 0], np.expm1(-loss), rtol=1e-12)
    np.testing.assert_allclose(answers.gradient.nearest()[0, 1:], np.exp(-30.0 - loss), rtol=1e-12)


NOT_MERGED = {
    "few classes": rows_of((0.0, -1.0), "float64", MIN_CLASSES - 1),
    "many levels": rows_of(tuple(-float(i) for i in range(MAX_LEVELS + 1)), "float64", 600).rows(slice(1)),
    "a mask": rows_of((0.0, -np.inf), "float64", 600).rows(slice(1)),
    "an option": rows_of((0.0, -1.0), "float64", 600).replace(objective=Objective(label_smoothing=0.1)),
}


@pytest.mark.parametrize("problem", NOT_MERGED.values(), ids=NOT_MERGED)
def test_what_cannot_be_merged_is_left_to_the_ordinary_paths(problem: Problem) -> None:
    assert not is_merged(problem)
    assert agree(enclose(problem), enclose_by_balls(problem))


def test_targets_spread_over_many_classes_are_left_to_the_ordinary_paths() -> None:
    plain = rows_of((0.0, -1.0), "float64", 600).rows(slice(1))
    targets = np.zeros(plain.logits.shape)
    targets[0, : MAX_SHARES + 1] = 1.0 / (MAX_SHARES + 1)
    problem = plain.replace(targets=targets, objective=Objective(targets="probability"))
    assert not is_merged(problem)
    assert agree(enclose(problem), enclose_by_balls(problem))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_wrong_count_shows(place: int) -> None:
    """The comparison above can fail: one class more in a group moves the enclosures apart."""
    problem = rows_of((0.0, -3.0, -4.0), "float64", 600).rows(slice(1, 2))
    merged = merge_rows(problem, np.array([0]))
    assert merged is not None
    merged[0].counts[place] += 1
    wrong = answer_merged(problem, merged)
    assert not overlap(wrong.loss_intervals, enclose_by_balls(problem).losses)
