"""Complex step: what is claimed must be there, what is not claimed is only looked at where it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.checks.calculus import complex_step_gives_the_gradient
from gradlab.claims import Claims
from gradlab.evaluation import Implementation
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Array, Problem
from gradlab.result import worst_result

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


def passes(function: Callable[..., Any], problem: Problem, claims: Claims) -> bool:
    found = complex_step_gives_the_gradient(Implementation("theirs", function, claims), problem)
    return worst_result("complex_step", problem, found).passed


@pytest.mark.parametrize("problem", PROBLEMS, ids=["three classes", "one class"])
@pytest.mark.parametrize("claims", [Claims(), Claims(complex_step=True)], ids=["unclaimed", "claimed"])
def test_analytic_function_passes(problem: Problem, claims: Claims) -> None:
    assert passes(analytic, problem, claims)


@pytest.mark.parametrize("function", [*BROKEN, drops_the_imaginary_part], ids=lambda f: f.__name__)
def test_function_that_claims_complex_logits_and_does_not_take_them_fails(function: Callable[..., Any]) -> None:
    assert not passes(function, PROBLEMS[0], Claims(complex_step=True))


@pytest.mark.parametrize("function", [*BROKEN, drops_the_imaginary_part], ids=lambda f: f.__name__)
def test_function_that_claims_nothing_of_the_kind_passes(function: Callable[..., Any]) -> None:
    assert passes(function, PROBLEMS[0], Claims())
