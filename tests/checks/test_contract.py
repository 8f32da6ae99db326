"""What the checks of the contract put to an implementation."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.checks.contract import refuses_bad_labels
from gradlab.evaluation import Implementation
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Array, Problem
from gradlab.result import worst_result


def test_labels_may_be_refused_for_their_values_instead_of_their_dtype() -> None:
    def whole_numbers_only(logits: Array, labels: Array) -> tuple[Any, Array]:
        if (labels % 1 != 0).any():
            raise ValueError("labels must be whole numbers")
        loss, gradient = shifted(logits, labels.astype(np.int64))
        return loss, gradient

    problem = Problem(np.array([[1.0, 2.0]]), np.array([0]))
    findings = refuses_bad_labels(Implementation("whole_numbers_only", whole_numbers_only), problem)
    assert worst_result("", problem, findings).passed
