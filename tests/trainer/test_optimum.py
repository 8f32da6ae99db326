"""The optimum lies within the radius, whatever the scale of the data and the point that it is looked for from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flint import arb, arb_mat, ctx

from gradlab.layer.problem import Penalty
from gradlab.problems.problem import Array
from gradlab.trainer.optimum import Scaled, curved_at, optimum_of
from gradlab.trainer.problem import TrainerProblem
from tests.trainer.descents import BITS, random_training


def regression(seed: int, strength: float, spread: float = 1.0) -> TrainerProblem:
    """Random rows, of which no plane parts the classes; the second feature is `spread` times as wide as the others."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(40, 3)) * np.array([1, spread, 1])
    labels = generator.integers(0, 3, 40)
    return TrainerProblem(features, labels, np.zeros((3, 3)), np.zeros(3), 1.0, 0, Penalty(strength))


def by_newton_in_many_digits(problem: TrainerProblem, start: Array) -> Array:
    """The optimum whose rows without a penalty sum to 0, to many digits, rounded to float64; from a point near it."""
    with ctx.workprec(BITS):
        values = [[arb(float(one)) for one in row] for row in start]
        for _ in range(6):
            gradient, hessian = _derivatives(problem, values)
            step = arb_mat(hessian).solve(arb_mat([[one] for one in gradient]))
            count, classes = start.shape
            values = [[(values[d][k] - step[k * count + d, 0]).mid() for k in range(classes)] for d in range(count)]
        return np.array([[float(one) for one in row] for row in values])


def _derivatives(problem: TrainerProblem, values: list[list[Any]]) -> tuple[list[Any], list[list[Any]]]:
    count, classes = len(values), problem.n_classes
    size = count * classes
    gradient, hessian = [arb(0)] * size, [[arb(0)] * size for _ in range(size)]
    for row, shares in zip(problem.extended64, problem.shares64, strict=True):
        x = [arb(float(one)) for one in row]
        e = [sum((x[d] * values[d][k] for d in range(count)), arb(0)).exp() for k in range(classes)]
        p = [one / sum(e, arb(0)) for one in e]
        for place in range(size):
            k, d = divmod(place, count)
            gradient[place] += x[d] * (p[k] - arb(float(shares[k]))) / problem.n_rows
            for other in range(size):
                j, c = divmod(other, count)
                hessian[place][other] += x[d] * x[c] * p[k] * ((j == k) - p[j]) / problem.n_rows
    for place in range(size):
        k, d = divmod(place, count)
        slope = arb(float(problem.slopes[d, 0]))
        gradient[place] += slope * values[d][k]
        hessian[place][place] += slope
        if not problem.slopes[d, 0]:
            for j in range(classes):
                hessian[place][j * count + d] += 1
    return gradient, hessian


@pytest.mark.parametrize("strength", [0.0, 1e-3, 0.3])
@pytest.mark.parametrize("spread", [1.0, 1e4])
def test_the_optimum_is_within_the_radius(strength: float, spread: float) -> None:
    problem = regression(int(spread), strength, spread)
    found = optimum_of(problem, problem.start64)
    assert found is not None
    exact = by_newton_in_many_digits(problem, found.parameters)
    assert np.linalg.norm(found.parameters - exact) <= found.radius + 1e-15 * np.linalg.norm(exact)
    assert found.radius < 1e-9


def test_of_a_bias_alone_it_is_the_logarithm_of_the_shares() -> None:
    labels = np.repeat([0, 1, 2], [1, 3, 6])
    problem = TrainerProblem(np.zeros((10, 1)), labels, np.zeros((1, 3)), np.zeros(3), 1.0, 0, Penalty(0.1))
    found = optimum_of(problem, problem.start64)
    assert found is not None
    shares = np.log([0.1, 0.3, 0.6])
    assert np.abs(found.parameters[-1] - (shares - shares.mean())).max() <= found.radius + 1e-15
    assert found.least <= -(shares * [0.1, 0.3, 0.6]).sum() <= found.most + 1e-15


def test_it_is_the_same_from_elsewhere() -> None:
    problem = regression(3, 1e-3)
    far: Any = np.random.default_rng(0).normal(size=problem.start64.shape) * 20
    first, second = (optimum_of(problem, near) for near in (problem.start64, far))
    assert first is not None
    assert second is not None
    at_least, at_most = first.distance_to(second.parameters)
    assert at_least <= second.radius
    assert at_most < 1e-9


@pytest.mark.parametrize("strength", [0.0, 0.1])
def test_a_number_added_to_the_bias_of_every_class_is_no_distance(strength: float) -> None:
    problem = regression(4, strength)
    found = optimum_of(problem, problem.start64)
    assert found is not None
    moved = found.parameters.copy()
    moved[-1] += 5
    assert found.distance_to(moved)[1] < 1e-9
    moved[0] += 5
    assert (found.distance_to(moved)[1] < 1e-9) == (strength == 0)


def test_the_distance_is_enclosed() -> None:
    problem = regression(5, 0.1)
    found = optimum_of(problem, problem.start64)
    assert found is not None
    apart = np.zeros(problem.start64.shape)
    apart[1] = [0.3, 0, 0.4]
    at_least, at_most = found.distance_to(found.parameters + apart)
    assert at_least <= 0.5 <= at_most < at_least * (1 + 1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_the_hessian_is_the_slope_of_the_gradient(seed: int) -> None:
    problem = random_training(seed, "float64")
    scaled = Scaled(problem)
    along: Any = np.random.default_rng(seed).normal(size=problem.start64.shape)
    at = problem.start64 * scaled.scales
    along -= along.mean(axis=1, keepdims=True)
    ends = [curved_at(scaled, at + step * along).gradient for step in (1e-5, -1e-5)]
    found = (curved_at(scaled, at).hessian @ along.T.ravel()).reshape(along.shape[::-1]).T
    np.testing.assert_allclose(found, (ends[0] - ends[1]) / 2e-5, rtol=1e-5, atol=1e-8)


def test_without_a_penalty_classes_that_a_plane_parts_have_none() -> None:
    features = np.array([[1.0], [2.0], [-1.0], [-2.0]])
    problem = TrainerProblem(features, np.array([0, 0, 1, 1]), np.zeros((1, 2)), np.zeros(2), 1.0, 0)
    assert optimum_of(problem, problem.start64) is None


def test_classes_that_a_plane_parts_elsewhere_have_none_either() -> None:
    """At the start one row is on the wrong side: it takes steps to see that a plane parts them."""
    features = np.array([[1.0], [2.0], [-1.0], [-2.0]])
    start = np.array([[-0.1, 0.1]])
    problem = TrainerProblem(features, np.array([0, 0, 1, 1]), start, np.zeros(2), 1.0, 0)
    assert optimum_of(problem, problem.start64) is None


def test_a_feature_that_is_always_0_has_none_without_a_penalty() -> None:
    problem = regression(6, 0.0)
    problem = problem.replace(features=problem.features * np.array([1, 0, 1]))
    assert optimum_of(problem, problem.start64) is None
