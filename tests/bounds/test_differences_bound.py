"""Finite differences: the bound on the truncation is never exceeded, is reached, and the step is the best one."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

from gradlab.bounds import calculus
from gradlab.bounds.calculus import best_step, error_missed
from gradlab.problems.problem import Array

DIGITS = 60


def lse(x: list[Any]) -> Any:
    top = max(x)
    return top + mpmath.log(mpmath.fsum(mpmath.exp(value - top) for value in x))


def slope(x: list[Any], v: list[Any]) -> Any:
    top = max(x)
    e = [mpmath.exp(value - top) for value in x]
    return mpmath.fdot(e, v) / mpmath.fsum(e)


def truncation_ratio(x: Array, v: Array, step: float) -> float:
    """The error of the central difference of lse along v over central_difference, at 60 digits."""
    with mpmath.workdps(DIGITS):
        at, along, h = [mpmath.mpf(value) for value in x], [mpmath.mpf(value) for value in v], mpmath.mpf(step)
        ends = [lse([a + sign * h * b for a, b in zip(at, along, strict=True)]) for sign in (1, -1)]
        error = abs((ends[0] - ends[1]) / (2 * h) - slope(at, along))
        return float(error / mpmath.mpf(float(calculus.central_difference(0.0, np.ptp(v) ** 3, step)[0])))


def drawn(kind: str, rng: np.random.Generator) -> tuple[Array, Array]:
    n = int(rng.integers(2, 9))
    x = rng.normal(0, rng.choice([0.1, 1.0, 5.0]), n)
    if kind == "coordinate":
        return x, np.eye(n)[int(rng.integers(n))]
    return x, rng.normal(size=n) if kind == "Gaussian" else rng.choice([-1.0, 1.0], n) * 3


@pytest.mark.parametrize("step", [2.0**-20, 2.0**-5, 1.0])
@pytest.mark.parametrize("kind", ["coordinate", "Gaussian", "two values"])
def test_truncation_is_never_beyond_the_bound(kind: str, step: float) -> None:
    rng = np.random.default_rng(5)
    cases = [drawn(kind, rng) for _ in range(25)]
    assert max(truncation_ratio(x, v, step) for x, v in cases if np.ptp(v) > 0) <= 1


@pytest.mark.parametrize("v", [[1.0, 0.0], [0.0, 3.0], [2.0, -1.0, -1.0, -1.0]])
def test_two_point_distribution_reaches_the_bound_on_the_truncation(v: list[float]) -> None:
    high = np.equal(v, max(v))
    p = (1 + 1 / math.sqrt(3)) / 2
    x = np.where(high, math.log(p / high.sum()), math.log((1 - p) / (~high).sum()))
    assert 0.99 < truncation_ratio(x, np.array(v), 2.0**-20) <= 1


@pytest.mark.parametrize("curvature", [1.0, 0.01, 40.0])
@pytest.mark.parametrize("error", [1e-15, 3e-11, 1e-7, 2e-4])
def test_best_step_is_within_a_seventh_of_the_least_error_there_is(error: float, curvature: float) -> None:
    least = min(calculus.central_difference(error, curvature, h)[0] for h in np.geomspace(1e-9, 1, 5001).tolist())
    step = best_step(error, curvature)
    assert math.frexp(step)[0] == 0.5
    assert calculus.central_difference(error, curvature, step)[0] <= least * 8 / 7


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_four_times_or_a_quarter_of_the_best_step_is_worse(factor: float) -> None:
    step = best_step(1e-12, 1.0)
    best, other = (calculus.central_difference(1e-12, 1.0, h)[0] for h in (step, step * factor))
    assert other > best


def test_best_step_is_at_most_one() -> None:
    assert best_step(10.0, 1e-3) == 1


def test_error_of_the_function_counts_at_both_ends() -> None:
    error, step = 1e-9, 2.0**-7
    with_error = calculus.central_difference(error, 0.0, step)[0]
    assert with_error == (error + error) / (2 * step)


@pytest.mark.parametrize(("tolerance", "probability", "count"), [(0.1, 0.5, 1), (0.05, 0.02, 3), (0.4, 0.001, 8)])
def test_error_missed_with_a_probability_is_what_gaussian_directions_give(
    tolerance: float, probability: float, count: int
) -> None:
    rng, trials = np.random.default_rng(8), 40_000
    error = rng.normal(size=(3, 4))
    error *= error_missed(tolerance, probability, count) / np.linalg.norm(error)
    along = np.tensordot(rng.standard_normal((trials, count, 3, 4)), error, axes=2)
    missed = (np.abs(along) <= 2 * tolerance).all(axis=1).mean()
    assert abs(missed - probability) <= 4 * math.sqrt(probability * (1 - probability) / trials)


def test_error_missed_grows_as_the_tolerance_and_falls_with_more_directions() -> None:
    assert error_missed(0.2, 0.01, 4) == pytest.approx(2 * error_missed(0.1, 0.01, 4))
    assert error_missed(0.1, 0.01, 8) < error_missed(0.1, 0.01, 4)


@pytest.mark.parametrize(("error", "curvature"), [(math.inf, 1.0), (1e-300, 1e300), (5e-324, 1e308), (1e308, 5e-324)])
def test_there_is_a_step_for_errors_and_curvatures_of_any_size(error: float, curvature: float) -> None:
    assert 0 < best_step(error, curvature) <= 1
