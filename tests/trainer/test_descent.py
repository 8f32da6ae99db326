"""Exact descent is where the enclosure says, and sound code is no further from it than the tolerances."""

from __future__ import annotations

import numpy as np
import pytest
from flint import ctx

from gradlab.trainer.descent import descend, distance_to, end_of_descent
from tests.trainer.descents import BITS, distance, exact_descent, random_training, trained


@pytest.mark.parametrize("seed", range(60))
def test_exact_descent_is_within_the_radius(seed: int) -> None:
    problem = random_training(seed, ("float32", "float64")[seed % 2], share=(0.3, 1.0, 1.7)[seed % 3])
    with ctx.workprec(BITS):
        exact = exact_descent(problem)
    found = end_of_descent(problem)
    assert found.n_steps == problem.n_steps
    assert distance(found.parameters, exact) <= found.radius


@pytest.mark.parametrize("seed", range(60))
def test_the_radius_is_small(seed: int) -> None:
    found = end_of_descent(random_training(seed))
    assert found.radius <= 1e-11 * np.linalg.norm(found.parameters)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(40))
def test_sound_code_is_within_both_tolerances_in_any_order(seed: int, dtype: str) -> None:
    problem = random_training(seed, dtype, share=(0.3, 1.0, 1.7)[seed % 3])
    found = end_of_descent(problem)
    for order in (None, np.random.default_rng(seed)):
        at_least, _ = distance_to(found, trained(problem, order))
        assert at_least <= found.probable
    assert found.probable <= found.proved


@pytest.mark.parametrize("seed", range(20))
def test_the_tolerance_is_some_hundred_roundings(seed: int) -> None:
    """Of few rows, features, classes and steps: a step with a wrong sign, or one step too many, is far outside."""
    problem = random_training(seed).replace(n_steps=4)
    found = end_of_descent(problem)
    size = np.linalg.norm(found.parameters) + np.abs(problem.extended64).max() * problem.learning_rate
    assert found.proved <= 3000 * 2.0**-24 * size


def test_no_steps_leave_the_start_as_it_is() -> None:
    problem = random_training(3).replace(n_steps=0)
    found = end_of_descent(problem)
    assert (found.parameters == problem.start64).all()
    assert (found.radius, found.proved, found.probable) == (0, 0, 0)


def test_the_iterates_come_in_order() -> None:
    problem = random_training(5).replace(n_steps=7)
    assert [one.n_steps for one in descend(problem)] == list(range(8))


def test_a_larger_step_than_2_over_l_may_take_points_apart() -> None:
    problem = random_training(1).replace(n_steps=10)
    larger = problem.replace(learning_rate=3 * problem.learning_rate)
    assert end_of_descent(larger).radius > end_of_descent(problem).radius
