"""Answers of no sense at all still get a ratio."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.checks.domain import rows_without_value_are_not_hidden
from gradlab.checks.invariants import rows_sum_to_zero
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.implementations.shifted import shifted
from gradlab.problems.objective import Objective
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


def test_a_lost_row_without_targets_may_be_left_out() -> None:
    def where_there_is_a_target(logits: Array, targets: Array) -> tuple[Any, Array]:
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        loss = -np.where(targets == 0, 0, targets * log_p).sum()
        return loss, np.exp(log_p) * targets.sum(axis=1, keepdims=True) - targets

    claims = claims_from({"reduction": "sum", "targets": "probability"})
    implementation = Implementation("where_there_is_a_target", where_there_is_a_target, claims)
    objective = Objective("sum", "probability")
    problem = Problem(np.array([[0.0, 1.0], [np.nan, 0.0]]), np.array([[1.0, 0.0], [0.0, 0.0]]), objective)
    assert worst_result("", problem, rows_without_value_are_not_hidden(implementation, problem)).passed
