"""What the checks of invariance put to an implementation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.checks.invariants import (
    adding_2_to_30_exactly_changes_nothing,
    adding_a_constant_changes_nothing,
    entries_have_the_right_sign_and_size,
)
from gradlab.evaluation import Implementation
from gradlab.implementations.shifted import shifted
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array, Problem, moderate_limit
from gradlab.result import worst_result


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_constant_is_added_to_logits_that_keep_their_digits(dtype: str) -> None:
    problem = Problem(np.array([[0.3, -0.2, 1.1]]).astype(as_dtype(dtype)), np.array([0]))
    findings = adding_a_constant_changes_nothing(Implementation("shifted", shifted), problem)
    asked = worst_result("", problem, findings).asked
    assert asked is not None
    spacing = 4 * moderate_limit(problem.format, 3) * problem.format.unit_roundoff  # of numbers up to twice the limit
    np.testing.assert_allclose(np.diff(asked.logits64), np.diff(problem.logits64), rtol=0, atol=spacing)
    assert asked.logits64.min() > 1


def test_two_to_the_30_is_added_to_float64_logits_that_keep_their_digits() -> None:
    problem = Problem(np.array([[0.3, -0.2, 1.1]]), np.array([0]))
    findings = adding_2_to_30_exactly_changes_nothing(Implementation("shifted", shifted), problem)
    asked = worst_result("", problem, findings).asked
    assert asked is not None
    spacing = 2.0 ** (31 - 52)  # of float64 from 2^31 on
    np.testing.assert_allclose(asked.logits64 - 2.0**30, problem.logits64, rtol=0, atol=spacing / 2)
    assert np.abs(asked.logits64 - 2.0**30 - problem.logits64).max() > 0


@pytest.mark.parametrize("sign", [1, -1])
def test_entries_of_either_sign_may_not_exceed_their_share_of_the_mean(sign: int) -> None:
    def not_divided(logits: Array, labels: Array) -> tuple[Any, Array]:
        loss, gradient = shifted(logits, labels)
        return loss, np.where(np.sign(gradient) == sign, gradient * len(logits), gradient)

    problem = Problem(np.array([[5.0, 0.0], [5.0, 0.0]]), np.array([1, 1]))
    findings = entries_have_the_right_sign_and_size(Implementation("not_divided", not_divided), problem)
    assert not worst_result("", problem, findings).passed
