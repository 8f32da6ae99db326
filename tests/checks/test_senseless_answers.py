"""Answers of no sense at all still get a ratio."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.checks.domain import rows_without_value_are_not_hidden
from gradlab.checks.invariants import rows_sum_to_zero
from gradlab.evaluation.call import Implementation
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Array, Problem
from gradlab.result import worst_result


def test_a_row_whose_sum_is_beyond_float64_does_not_sum_to_zero() -> None:
    huge = Implementation("huge", lambda logits, labels: (0.0, np.full(logits.shape, 1.5e308)))
    problem = Problem(np.zeros((1, 3)), np.array([0]))
    assert worst_result("", problem, rows_sum_to_zero(huge, problem)).ratio == np.inf


def test_a_mean_that_leaves_out_a_row_without_value_is_refused() -> None:
    def without_the_lost(logits: Array, labels: Array) -> tuple[Any, Array]:
        kept = np.isfinite(logits).all(axis=1)
        return shifted(logits[kept], labels[kept])[0], shifted(logits, labels)[1]

    implementation = Implementation("without_the_lost", without_the_lost)
    problem = Problem(np.array([[0.0, 1.0], [np.nan, 0.0]]), np.array([0, 0]))
    assert not worst_result("", problem, rows_without_value_are_not_hidden(implementation, problem)).passed
