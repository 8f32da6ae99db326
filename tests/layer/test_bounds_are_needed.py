"""Every part of the proved bounds is needed: errors of that kind, of the worst signs, reach a good share of the bound.

The answers are worked out in float64, with rounding errors put in by hand, each no larger than sound code in float32
may have. A part that were left out, or halved twice, would put one of them beyond the bound.
"""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.layer.bounds.proved import proved_bounds
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.problem import Array

U = 2.0**-24


def positive_problem(n_rows: int, n_features: int, n_classes: int, penalty: Penalty | None = None) -> LayerProblem:
    """Features and weights above 0, so that sums of sizes are the sizes of sums, and logits that are nearly equal."""
    rng = np.random.default_rng([n_rows, n_features, n_classes])
    features = (1 + rng.random((n_rows, n_features))).astype(np.float32)
    weight = (0.02 * (1 + 0.1 * rng.random((n_features, n_classes)))).astype(np.float32)
    return LayerProblem(features, weight, None, rng.integers(0, n_classes, n_rows), penalty=penalty or Penalty())


def gradient_of(logits: Array, labels: Array) -> Array:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    G = e / e.sum(axis=1, keepdims=True)
    G[np.arange(len(G)), labels] -= 1
    return np.asarray(G / len(G))


def share(found: Array, problem: LayerProblem, output: str) -> float:
    """The largest error over bound of an output that is given in float64."""
    truth, bounds = enclose_layer(problem), proved_bounds(problem)
    return float((absolute_error(found, truth.output(output)) / bounds.output(output).error).max())


def within(ratio: float, least: float) -> bool:
    return least < ratio <= 1


def test_errors_of_the_logits_reach_the_bounds() -> None:
    problem = positive_problem(3, 2000, 4)
    X, W = problem.features64, problem.weight64
    errors = problem.n_features * U * (X @ W)
    signs = np.where(np.arange(4) == 1, 1.0, -1.0)  # one class moves against all others
    G = gradient_of(X @ W + signs * errors, problem.targets)
    assert within(share(X.T @ G, problem, "dW"), 0.3)
    assert within(share(G.sum(axis=0), problem, "db"), 0.3)


def test_errors_of_the_logits_reach_the_bounds_of_the_features_too() -> None:
    problem = positive_problem(3, 8000, 2)
    signs = np.array([-1.0, 1.0])  # of the weights, and so of the errors: both add to the same side of dX
    problem = problem.replace(weight=(problem.weight64 * signs / 400).astype(np.float32))
    X, W = problem.features64, problem.weight64
    errors = problem.n_features * U * (X @ np.abs(W))
    assert within(share(gradient_of(X @ W + signs * errors, problem.targets) @ W.T, problem, "dX"), 0.3)


def test_errors_of_sums_over_rows_reach_the_bounds() -> None:
    problem = positive_problem(3000, 2, 3).replace(targets=np.zeros(3000, int))
    X, G = problem.features64, gradient_of(problem.float64_logits, problem.targets)
    worst = 1 + problem.n_rows * U
    assert within(share(worst * X.T @ G, problem, "dW"), 0.3)
    assert within(share(worst * G.sum(axis=0), problem, "db"), 0.3)


def test_errors_of_two_parts_that_are_summed_apart_reach_the_bounds() -> None:
    problem = positive_problem(3000, 2, 3)
    X, G = problem.features64, gradient_of(problem.float64_logits, problem.targets)
    T = np.eye(3)[problem.targets] / problem.n_rows
    worst = problem.n_rows * U
    assert within(share(X.T @ ((1 + worst) * (G + T) - (1 - worst) * T), problem, "dW"), 0.5)


def test_errors_of_sums_over_classes_reach_the_bounds() -> None:
    problem = positive_problem(2, 2, 5000)
    W, G = problem.weight64, gradient_of(problem.float64_logits, problem.targets)
    signs = np.where(G > 0, 1.0, -1.0)
    assert within(share((G * (1 + signs * problem.n_classes * U)) @ W.T, problem, "dX"), 0.2)


@pytest.mark.parametrize("n_rows", [1, 2000])
def test_errors_of_the_penalty_reach_the_bounds(n_rows: int) -> None:
    problem = positive_problem(n_rows, 2, 3, Penalty(1e4))
    exact = enclose_layer(problem).dW.nearest()
    penalty = problem.penalty.slope * problem.weight64
    assert within(share(exact + (n_rows + 3) * U * penalty, problem, "dW"), 0.3)


def test_errors_of_the_sum_of_squares_reach_the_bound() -> None:
    problem = positive_problem(1, 1000, 3, Penalty(1e4))
    exact = enclose_layer(problem).loss.nearest()
    squares = problem.penalty.slope / 2 * (problem.weight64**2).sum()
    assert within(share(np.asarray(exact + problem.weight.size * U * squares), problem, "loss"), 0.5)
