"""How far softmax moves with its logits is within the bounds, and a certain class hardly moves."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.bounds.moved_logits import log_probability_errors, probability_errors
from gradlab.problems.problem import Array, ComputedLogits, Problem


def problem_of(logits: Array, errors: Array) -> Problem:
    return Problem(logits, np.zeros(len(logits), int), computed=ComputedLogits(errors, "float32"))


def log_softmax(z: Array) -> Array:
    d = z - z.max(axis=1, keepdims=True)
    return np.asarray(d - np.log(np.exp(d).sum(axis=1, keepdims=True)))


@pytest.mark.parametrize("size", [1e-6, 1e-3, 0.3, 3.0])
@pytest.mark.parametrize("scale", [0.1, 3.0, 30.0])
def test_moved_probabilities_are_within_the_bounds(size: float, scale: float) -> None:
    rng = np.random.default_rng(1)
    logits, errors = scale * rng.standard_normal((50, 4)), size * rng.random((50, 4))
    problem = problem_of(logits, errors)
    allowed, allowed_of_log = probability_errors(problem), log_probability_errors(problem)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1).T
    largest = np.zeros((50, 4))
    for sign in signs:
        moved = log_softmax(logits + sign * errors)
        assert (np.abs(moved - log_softmax(logits)) <= allowed_of_log * (1 + 1e-9) + 1e-13).all()
        change = np.abs(np.exp(moved) - np.exp(log_softmax(logits)))
        assert (change <= allowed * (1 + 1e-9) + 1e-15).all()
        largest = np.maximum(largest, change)
    if size < 0.01:
        assert (allowed <= 1.1 * largest + 1e-15).all()  # they are reached


def test_a_class_that_is_certain_hardly_moves() -> None:
    problem = problem_of(np.array([[40.0, 0.0, 1.0]]), np.full((1, 3), 0.01))
    assert probability_errors(problem)[0, 0] < 1e-17
    assert log_probability_errors(problem)[0, 0] < 1e-17
    assert log_probability_errors(problem)[0, 1] == pytest.approx(0.02, rel=0.01)


def test_given_logits_do_not_move() -> None:
    problem = Problem(np.zeros((1, 2)), np.array([0]))
    assert not probability_errors(problem).any()
