"""What the checks of invariance put to an implementation."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.checks.invariants import adding_2_to_30_exactly_changes_nothing, adding_a_constant_changes_nothing
from gradlab.evaluation import Implementation
from gradlab.implementations.shifted import shifted
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Problem, moderate_limit
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
