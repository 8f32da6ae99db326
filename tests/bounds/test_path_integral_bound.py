"""Gauss-Legendre along a segment: the bound holds against the exact difference of lse, and says something."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest

from gradlab.bounds import calculus
from gradlab.problems.problem import Array

DIGITS = 60


@cache
def rule(n_nodes: int) -> list[tuple[Any, Any]]:
    """Nodes and weights of Gauss-Legendre on [0, 1] at 60 digits, by Newton's method from those in float64."""
    with mpmath.workdps(DIGITS):
        found = []
        for start in np.polynomial.legendre.leggauss(n_nodes)[0]:
            x = mpmath.mpf(float(start))
            for _ in range(4):
                value, derivative = legendre(n_nodes, x)
                x -= value / derivative
            found.append(((x + 1) / 2, 1 / ((1 - x * x) * legendre(n_nodes, x)[1] ** 2)))
        return found


def legendre(n: int, x: Any) -> tuple[Any, Any]:
    """P_n(x) and its derivative, by the recurrence."""
    previous, current = mpmath.mpf(1), x
    for k in range(2, n + 1):
        previous, current = current, ((2 * k - 1) * x * current - (k - 1) * previous) / k
    return current, n * (x * current - previous) / (x * x - 1)


def error_of_rule(x: Array, v: Array, n_nodes: int) -> Any:
    """abs(rule applied to the slope of lse along v - (lse(x + v) - lse(x))) at 60 digits."""
    with mpmath.workdps(DIGITS):
        at, along = [mpmath.mpf(a) for a in x], [mpmath.mpf(b) for b in v]

        def exponentials(s: Any) -> list[Any]:
            return [mpmath.exp(a + s * b) for a, b in zip(at, along, strict=True)]

        def slope(s: Any) -> Any:
            e = exponentials(s)
            return mpmath.fdot(e, along) / mpmath.fsum(e)

        integral = mpmath.fsum(weight * slope(node) for node, weight in rule(n_nodes))
        return abs(integral - mpmath.log(mpmath.fsum(exponentials(1)) / mpmath.fsum(exponentials(0))))


@pytest.mark.parametrize("n_nodes", [2, 4, 8, 16])
@pytest.mark.parametrize("width", [0.5, 2.0, 8.0, 40.0])
def test_rule_is_never_off_by_more_than_the_bound(width: float, n_nodes: int) -> None:
    rng = np.random.default_rng([int(2 * width), n_nodes])
    for _ in range(6):
        v = rng.uniform(0, width, int(rng.integers(2, 7)))
        x = rng.uniform(-width, width, v.size)
        assert error_of_rule(x, v, n_nodes) <= calculus.gauss_legendre(float(np.ptp(v)), 1.0, n_nodes)


@pytest.mark.parametrize("n_nodes", [8, 16, 32])
def test_rule_with_half_the_nodes_exceeds_the_bound(n_nodes: int) -> None:
    x, v = np.array([0.0, 0.5]), np.array([2.0, 0.0])  # the two probabilities cross at a quarter of the way
    assert error_of_rule(x, v, n_nodes // 2) > calculus.gauss_legendre(2.0, 1.0, n_nodes)


def test_bound_is_proportional_to_the_sum_of_the_targets() -> None:
    assert calculus.gauss_legendre(3.0, 2.5, 8) == 2.5 * calculus.gauss_legendre(3.0, 1.0, 8)


def test_a_segment_along_a_constant_needs_no_tolerance() -> None:
    assert calculus.gauss_legendre(0.0, 1.0, 4) == 0


@pytest.mark.parametrize("width", [1e8, 1e17, 1e200, 1e300])
def test_a_segment_however_wide_has_a_bound(width: float) -> None:
    assert calculus.gauss_legendre(width, 1.0, 8) > width
    assert calculus.gauss_legendre(math.inf, 1.0, 8) == math.inf
