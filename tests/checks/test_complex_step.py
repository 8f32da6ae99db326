"""Complex step: what is claimed must be there; of what is not claimed nothing is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.checks.calculus import complex_step_gives_the_gradient
from gradlab.checks.table import CHECKS
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Array, Problem
from gradlab.result import worst_result

CLAIMING = Claims(complex_step=True)
PROBLEMS = [Problem(np.array([[0.0, 1.0, -1.0]]), np.array([2])), Problem(np.zeros((2, 1)), np.array([0, 0]))]


def analytic(logits: Array, labels: Array) -> Any:
    rows = np.arange(len(logits))
    e = np.exp(logits)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p.real / len(logits)


def drops_the_imaginary_part(logits: Array, labels: Array) -> Any:
    loss, gradient = analytic(logits, labels)
    return loss.real + 0 * loss, gradient


def returns_no_pair(logits: Array, labels: Array) -> Any:
    return [] if logits.dtype.kind == "c" else shifted(logits, labels)


def returns_a_ragged_loss(logits: Array, labels: Array) -> Any:
    return ([[1], [1, 2]], 0) if logits.dtype.kind == "c" else shifted(logits, labels)


BROKEN = (shifted, returns_no_pair, returns_a_ragged_loss)


def passes(function: Callable[..., Any], problem: Problem) -> bool:
    found = complex_step_gives_the_gradient(Implementation("theirs", function, CLAIMING), problem)
    return worst_result("complex_step", problem, found).passed


@pytest.mark.parametrize("problem", PROBLEMS, ids=["three classes", "one class"])
def test_analytic_function_passes(problem: Problem) -> None:
    assert passes(analytic, problem)


@pytest.mark.parametrize("function", [*BROKEN, drops_the_imaginary_part], ids=lambda f: f.__name__)
def test_function_that_claims_complex_logits_and_does_not_take_them_fails(function: Callable[..., Any]) -> None:
    assert not passes(function, PROBLEMS[0])


def test_a_function_that_claims_nothing_of_the_kind_is_not_asked() -> None:
    (check,) = [check for check in CHECKS if check.function is complex_step_gives_the_gradient]
    assert [check.applies(claims, PROBLEMS[0]) for claims in (CLAIMING, Claims())] == [True, False]
