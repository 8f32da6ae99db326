"""What the tests of documented bounds share: three rows of four classes, and what counts as the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.problems.dtypes import as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

TO = 1e-11  # far above what float64 loses in either way of computing a bound, far below any of its terms in float16
WEIGHTS = (0.3, 2.0, 1.7, 0.01)
SAMPLES = (0.5, 0.0, 7.0)


def problem_with(logits: list[list[float]], objective: Objective, dtype: str) -> Problem:
    """The problem of three rows of four classes, with labels or shares as the objective has them."""
    values = np.array(logits).astype(as_dtype(dtype))
    if objective.targets == "index":
        return Problem(values, np.array([1, 3, 0]), objective)
    shares = np.array([[0.5, 0.0, 0.25, 0.25], [0.0, 0.0, 0.0, 1.0], [0.125, 0.5, 0.125, 0.0]])
    return Problem(values, shares.astype(as_dtype(dtype)), objective)


def assert_same(found: Array, expected: Any) -> None:
    """Both are the same, to what float64 loses."""
    np.testing.assert_allclose(found, np.array(expected), rtol=TO, atol=0)
