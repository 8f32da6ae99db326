"""At the very limits up to which double-double is used its enclosures hold what balls find, and no row needs them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.oracle.enclosure import Enclosures, enclose_by_balls, enclose_by_double_double
from gradlab.oracle.exact.balls import RowAnswers
from gradlab.oracle.fast import vectorised
from gradlab.oracle.fast.array_kernels import COEFFICIENT_ERROR, FARTHEST_ERROR
from gradlab.oracle.fast.soft_targets import CLASS_LIMITS, LARGEST_LOGIT, PROBABILITY_LIMITS
from gradlab.oracle.fast.vectorised import _SHARP_LARGEST_LOGIT
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

Array = np.ndarray[Any, np.dtype[Any]]
INSIDE = 1 - 2.0**-40
LOW, HIGH = (2.0**exponent for exponent in (CLASS_LIMITS[0] + 1, CLASS_LIMITS[1] - 1))
SHARES = (PROBABILITY_LIMITS[0] * (1 + 2.0**-40), PROBABILITY_LIMITS[1] * INSIDE)
SOFT = Objective("none", "probability")
SHARP, SOFT_LOGIT = _SHARP_LARGEST_LOGIT * INSIDE, LARGEST_LOGIT * INSIDE

PROBLEMS = {
    "the largest logit beside its opposite": Problem(np.array([[SHARP, -SHARP, 0.0]]), np.array([1]), Objective()),
    "the largest logits alike": Problem(np.array([[SHARP, SHARP, -SHARP]]), np.array([0]), Objective()),
    "the largest logit, smoothed": Problem(
        np.array([[SOFT_LOGIT, -SOFT_LOGIT, 0.0]]), np.array([1]), Objective("none", label_smoothing=0.1)
    ),
    "the largest and the smallest shares": Problem(np.array([[1.0, 0.5, -2.0]]), np.array([[*SHARES, 0.25]]), SOFT),
    "the smallest share far below": Problem(
        np.array([[0.0, -SOFT_LOGIT, -1.0]]), np.array([[0.5, SHARES[0], 0]]), SOFT
    ),
    "the largest share far below": Problem(np.array([[0.0, -SOFT_LOGIT, -1.0]]), np.array([[0.5, SHARES[1], 0]]), SOFT),
    "the largest and the smallest weights": Problem(
        np.array([[1.0, 0.5, -2.0]]),
        np.array([[SHARES[0], SHARES[1], 0.25]]),
        Objective("none", "probability", class_weights=(LOW * 1.5, HIGH / 1.5, 1.0)),
    ),
    "all at once": Problem(
        np.array([[-SOFT_LOGIT, SOFT_LOGIT, 1.0]]),
        np.array([[SHARES[1], SHARES[0], 0.25]]),
        Objective("none", "probability", class_weights=(HIGH / 1.5, LOW * 1.5, 1.0)),
    ),
}


def forbidden(problem: Problem, rows: Array) -> RowAnswers:
    raise AssertionError(f"rows {rows.tolist()} went to ball arithmetic")


def overlap(a: Enclosures, b: Enclosures) -> bool:
    """Whether the intervals share a point, entry by entry; compared at the larger scale."""
    scale = np.maximum(a.exponent, b.exponent)
    shift_a, shift_b = (np.maximum(side.exponent - scale, -2000).astype(np.int32) for side in (a, b))
    apart = np.ldexp(a.high, shift_a) - np.ldexp(b.high, shift_b) + np.ldexp(a.low, shift_a) - np.ldexp(b.low, shift_b)
    return bool((np.abs(apart) <= np.ldexp(a.radius, shift_a) + np.ldexp(b.radius, shift_b) + 2.0**-1000).all())


@pytest.mark.parametrize("case", PROBLEMS)
def test_double_double_solves_what_is_just_within_its_limits_as_balls_do(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = enclose_by_balls(PROBLEMS[case])
    monkeypatch.setattr(vectorised, "answer_rows", forbidden)
    found = enclose_by_double_double(PROBLEMS[case])
    assert overlap(found.losses, exact.losses)
    assert overlap(found.gradient, exact.gradient)


BEYOND = {
    "logit": Problem(np.array([[_SHARP_LARGEST_LOGIT, 0.0]]), np.array([1])),
    "logit, smoothed": Problem(np.array([[LARGEST_LOGIT, 0.0]]), np.array([1]), Objective(label_smoothing=0.1)),
    "share above": Problem(np.zeros((1, 2)), np.array([[PROBABILITY_LIMITS[1], 1.0]]), SOFT),
    "share below": Problem(np.zeros((1, 2)), np.array([[PROBABILITY_LIMITS[0], 1.0]]), SOFT),
    "weight above": Problem(np.zeros((1, 2)), np.eye(2)[:1], Objective("none", "probability", 0.0, (2 * HIGH, 1.0))),
    "weight below": Problem(np.zeros((1, 2)), np.eye(2)[:1], Objective("none", "probability", 0.0, (LOW / 2, 1.0))),
}


@pytest.mark.parametrize("case", BEYOND)
def test_what_reaches_a_limit_is_left_to_balls(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectorised, "answer_rows", forbidden)
    with pytest.raises(AssertionError, match="went to ball arithmetic"):
        enclose_by_double_double(BEYOND[case])


def test_products_of_the_limits_are_within_what_the_error_of_a_product_is_exact_for() -> None:
    largest = CLASS_LIMITS[1] + np.log2(PROBABILITY_LIMITS[1]) + np.log2(2 * LARGEST_LOGIT)
    smallest = CLASS_LIMITS[0] + np.log2(PROBABILITY_LIMITS[0]) - 2 * 53
    assert largest + 1 <= 996
    assert smallest >= -960


def test_counting_an_exponent_as_the_farthest_costs_less_than_the_error_of_the_smallest_coefficient() -> None:
    smallest = 2.0 ** CLASS_LIMITS[0] * PROBABILITY_LIMITS[0]
    assert FARTHEST_ERROR < smallest * COEFFICIENT_ERROR
