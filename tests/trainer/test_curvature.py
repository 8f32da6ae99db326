"""The smoothness is an upper bound, and hardly more than that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flint import arb, arb_mat, ctx

from gradlab.problems.problem import Array
from gradlab.trainer.curvature import Curvature, curvature_of, largest_eigenvalue
from gradlab.trainer.descent import end_of_descent
from tests.trainer.descents import random_training


def with_many_digits(extended: Array) -> float:
    """The largest eigenvalue of X^T X, rounded up."""
    with ctx.workprec(400):
        matrix = arb_mat([[arb(float(value)) for value in row] for row in extended])
        values = (matrix.transpose() * matrix).eig()
        return max(float(value.real.abs_upper()) for value in values)


@pytest.mark.parametrize("seed", range(40))
def test_the_bound_is_no_less_than_the_largest_eigenvalue(seed: int) -> None:
    generator = np.random.default_rng(seed)
    extended = generator.normal(size=(int(generator.integers(7, 30)), int(generator.integers(1, 7))))
    extended *= 10.0 ** generator.integers(-5, 5, extended.shape[1])
    exact, bound = with_many_digits(extended), largest_eigenvalue(extended)
    assert exact * (1 - 1e-14) <= bound <= exact * (1 + 1e-6)


def test_equal_columns_are_no_trouble() -> None:
    assert 15 <= largest_eigenvalue(np.ones((5, 3))) <= 15 * (1 + 1e-6)


def test_features_of_zeros_have_no_curvature() -> None:
    assert largest_eigenvalue(np.zeros((5, 3))) < 1e-100


@pytest.mark.parametrize("seed", range(20))
def test_two_points_are_taken_apart_by_no_more_than_the_expansion(seed: int) -> None:
    problem = random_training(seed, "float64").replace(n_steps=1)
    other: Any = np.random.default_rng(seed).normal(size=problem.start64.shape)
    split = problem.n_features
    elsewhere = {"weight": other[:split], **({} if problem.bias is None else {"bias": other[split]})}
    ends = [end_of_descent(one).parameters for one in (problem, problem.replace(**elsewhere))]
    expansion = curvature_of(problem).expansion(problem.learning_rate)
    assert np.linalg.norm(ends[0] - ends[1]) <= expansion * np.linalg.norm(problem.start64 - other) * (1 + 1e-9)


def test_a_penalty_of_all_parameters_contracts() -> None:
    assert Curvature(2.0, 0.5).expansion(0.5) == pytest.approx(0.75)
    assert Curvature(2.0, 0.0).expansion(1.0) == pytest.approx(1.0)
    assert Curvature(2.0, 0.0).expansion(2.0) == pytest.approx(3.0)
