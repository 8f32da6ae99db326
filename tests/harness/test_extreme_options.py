"""A run on problems with extreme options ends with a verdict: none is gradlab's own error, none is a false alarm."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.harness.selection import may_be_asked
from gradlab.harness.tally import Tally, examine
from gradlab.problems.dtypes import format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.targets.load import load

ASKED = {
    "a small temperature": ([[1e30, 0.0], [1.0, 3e28]], Objective(temperature=0.001)),
    "large weights": ([[1e4, 0.0], [1.0, 3.0]], Objective("sum", class_weights=(1e30, 1e30))),
    "both": ([[30.0, 0.0], [1.0, 3.0]], Objective(temperature=0.001, class_weights=(1e30, 1e30))),
    "small weights": ([[30.0, 0.0], [1.0, 3.0]], Objective("sum", class_weights=(1e-44, 1e-36))),
    "a factor near the largest": ([[3.0, 0.0], [1.0, 3.0]], Objective("none", upstream=(8e37, -8e37))),
    "subnormal smoothing": ([[1e3, 0.0], [1.0, 3.0]], Objective(label_smoothing=5e-324)),
    "a small cap": ([[1e3, 0.0], [1.0, 3.0]], Objective(softcap=1e-30)),
}
REFUSED = {
    "images beyond the dtype": ([[1e36, 0.0], [1.0, 3.0]], Objective(temperature=0.001)),
    "weights beyond the dtype": ([[30.0, 0.0], [1.0, 3.0]], Objective("sum", class_weights=(1e39, 1e39))),
    "a sum of weights beyond the dtype": ([[3.0, 0.0], [1.0, 3.0]], Objective(class_weights=(3e38, 3e38))),
}


def problem_of(what: tuple[list[list[float]], Objective], dtype: str) -> Problem:
    return Problem(np.array(what[0]).astype(format_of(dtype).dtype), np.array([1, 0]), what[1])


def examined(problem: Problem) -> Tally:
    (implementation,) = load("every_option", {"dtypes": ["bfloat16", "float32", "float64"]}, ())
    tally = Tally(implementation)
    with np.errstate(all="ignore"):
        examine(tally, problem)
    return tally


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize("name", ASKED)
def test_a_sound_implementation_passes_where_it_is_asked(name: str, dtype: str) -> None:
    problem = problem_of(ASKED[name], dtype)
    tally = examined(problem)
    assert may_be_asked(tally.implementation.claims, problem)
    assert len(tally.lines) > 3
    assert [line.worst.sentence() for line in tally.lines.values() if not line.passed] == []


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_asked_would_not_be_an_error_of_gradlab_either(name: str, dtype: str) -> None:
    problem = problem_of(REFUSED[name], dtype)
    tally = examined(problem)
    assert not may_be_asked(tally.implementation.claims, problem)
    assert tally.lines  # every check that applies came to an end
