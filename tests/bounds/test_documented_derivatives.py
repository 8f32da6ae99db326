"""The bounds of second derivatives, and of the one by the targets, are what their docstrings say."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.bounds import derivative_bound, first_order, flushed_bound, second_order
from gradlab.problems.coefficients import gradient_factors
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from tests.bounds import written_out as written
from tests.bounds.documented import SAMPLES, WEIGHTS, assert_same, problem_with

OBJECTIVES = {
    "mean": Objective(),
    "none": Objective("none"),
    "smoothed-weighted": Objective("mean", "index", 0.3, WEIGHTS),
    "soft": Objective("sum", "probability"),
    "soft-everything": Objective("mean", "probability", 0.25, WEIGHTS),
    "sampled": Objective("mean", sample_weights=SAMPLES),
    "sampled-small": Objective("mean", "probability", sample_weights=(0.01, 0.0, 0.02)),
    "sampled-none": Objective("none", "probability", sample_weights=SAMPLES),
}
ROWS = {
    "moderate": [[0.5, -1.0, 0.25, 1.0], [1.5, 0.5, -0.5, 1.5], [-1.0, 0.0, 0.25, 0.5]],
    "wide": [[0.0, -9.0, 3.0, 5.0], [20.0, 0.0, -1000.0, 12.0], [-3.0, -2.0, 6.0, 8.0]],
}
VECTOR = [[1.0, -2.0, 0.5, 0.25], [3.0, 3.0, 3.25, 3.0], [0.0, 0.0, 8.0, 0.0]]


def problem_of(rows: str, objective: Objective, dtype: str) -> Problem:
    return problem_with(ROWS[rows], objective, dtype)


def asking(problem: Problem, derivative: str) -> Problem:
    vector = np.array(VECTOR).astype(problem.logits.dtype) if derivative == "hessian_vector_product" else None
    return problem.replace(objective=replace(problem.objective, derivative=derivative), vector=vector)


@pytest.fixture(params=DTYPE_NAMES)
def every(request: pytest.FixtureRequest) -> list[Problem]:
    """A problem of each kind of rows and each objective, in one dtype."""
    return [problem_of(rows, objective, request.param) for rows in ROWS for objective in OBJECTIVES.values()]


def carried(problem: Problem, row: Any, times: float) -> list[float]:
    """k_j, with room for the forms without a shift on moderate logits; |lse| counts `times` the largest logit."""
    k: list[float] = written.carried(row)
    if not problem.is_moderate:
        return k
    b = row.unit.base
    return [one + (8 + b + 1) * (times * row.largest + row.log_sum) + b * row.largest for one in k]


def factor(problem: Problem, i: int) -> float:
    return float(gradient_factors(problem)[i])


def returned(problem: Problem, i: int, error: float, size: float, underflow: float) -> float:
    """The error of an entry after the row's factor, the division, and what underflows."""
    unit = written.Unit(problem.format)
    grown = error + unit.gamma(2.0 * len(problem.objective.per_row_options)) * (size + error)
    return float((factor(problem, i) * grown if factor(problem, i) else 0.0) / written.divided_by(problem) + underflow)


def with_factors(problem: Problem, i: int, underflow: float, size: float) -> float:
    if not problem.objective.per_row_options or factor(problem, i) == 0:
        return underflow
    products = problem.n_classes + 3 + 2 * size
    own = problem.format.smallest_subnormal * products * max(1.0, 1 / written.divided_by(problem))
    return float(max(factor(problem, i), 1.0) * underflow + own)


def least(problem: Problem, i: int, row: Any, largest: float) -> float:
    """What underflow costs an entry of a second derivative; largest: the largest of |v_j| and the width, or 1."""
    mass, v, eta = row.mass + sum(row.delta) + 1, largest + 1, row.unit.eta
    before = 6 * (problem.n_classes + 3) * mass * v
    underflow = eta * (before / written.divided_by(problem) + 2 * mass * v + 2)
    return float(with_factors(problem, i, underflow, mass * v))


class Second:
    """p, A with its error, Delta, g and gamma(k) of a row."""

    def __init__(self, problem: Problem, i: int) -> None:
        self.row = row = written.row_of(problem, i)
        k = carried(problem, row, 1.0)
        k = [one + min(d, row.unit.vanishes) + row.log_sum for one, d in zip(k, row.d, strict=True)]
        c = 6 + 8 + row.of_mass + written.division(problem)
        self.p, self.missed = row.p, sum(row.delta)
        self.mass = row.mass + self.missed
        self.g = [row.unit.gamma(one + 2 * row.n + c) for one in k]
        self.each = [row.unit.gamma(one) for one in k]

    def product(self, j: int, sizes: list[float]) -> tuple[float, float]:
        """The error of entry j of the product with a vector, and the size of its parts."""
        p, g = self.p, self.g[j]
        size = sizes[j] + sum(q * s for q, s in zip(p, sizes, strict=True))
        others = sum(e * q * (sizes[j] + s) for e, q, s in zip(self.each, p, sizes, strict=True))
        return p[j] * (self.mass * (g * size + (1 + g) * others) + self.missed * size), self.mass * p[j] * size

    def diagonal(self, j: int, quarter: float) -> tuple[float, float]:
        p, g = self.p[j], self.g[j]
        others = sum(e * q for e, q in zip(self.each, self.p, strict=True)) + self.each[j] * p
        error = p * (self.mass * (g * (1 + p) + (1 + g) * others) + self.missed * (1 + p)) + self.mass * quarter
        return error, self.mass * p * (1 + p)

    def pair(self, i: int, j: int) -> tuple[float, float]:
        """The same of entry i, j of the Hessian, off its diagonal."""
        p, g = self.p, self.g[i]
        error = self.mass * p[i] * (g * p[j] + (1 + g) * self.each[j] * p[j]) + self.missed * p[i] * p[j]
        return error, self.mass * p[i] * p[j]


def quarter(problem: Problem) -> float:
    return float(written.Unit(problem.format).gamma(4.0)) / 4 if problem.is_moderate else 0.0


def test_the_bound_of_a_product_is_its_formula(every: list[Problem]) -> None:
    for plain in every:
        problem = asking(plain, "hessian_vector_product")
        assert problem.vector is not None
        expected = []
        for i, v in enumerate(problem.vector.astype(np.float64).tolist()):
            parts, sizes = Second(problem, i), [max(abs(one), max(v) - min(v)) for one in v]
            room = least(problem, i, parts.row, max(sizes))
            expected.append([returned(problem, i, *parts.product(j, sizes), room) for j in range(4)])
        assert_same(derivative_bound(problem)[0], expected)


def test_the_bound_of_a_diagonal_is_its_formula(every: list[Problem]) -> None:
    for plain in every:
        problem = asking(plain, "hessian_diagonal")
        rows = [Second(problem, i) for i in range(3)]
        expected = [
            [
                returned(problem, i, *parts.diagonal(j, quarter(problem)), least(problem, i, parts.row, 1.0))
                for j in range(4)
            ]
            for i, parts in enumerate(rows)
        ]
        assert_same(derivative_bound(problem)[0], expected)


def test_the_bound_of_a_hessian_is_its_formula(every: list[Problem]) -> None:
    for plain in every:
        problem = asking(plain, "hessian")
        expected = np.empty((3, 4, 4))
        for i, j, k in np.ndindex(3, 4, 4):
            parts = Second(problem, i)
            error, size = parts.diagonal(j, quarter(problem)) if j == k else parts.pair(j, k)
            expected[i, j, k] = returned(problem, i, error, size, least(problem, i, parts.row, 1.0))
        assert_same(derivative_bound(problem)[0], expected)


def target_entry(problem: Problem, i: int, j: int) -> float:
    """The bound of entry i, j of the target gradient."""
    row, objective = written.row_of(problem, i), problem.objective
    unit, eps, weight = row.unit, objective.label_smoothing, (objective.class_weights or (1.0,) * 4)[j]
    share, off = weight * (1 - eps), 0.0
    if eps or objective.class_weights:
        off = unit.gamma(6) * share + 3 * unit.v * eps * weight + 3 * unit.eta
    gap, c = row.log_sum + row.d[j], 8 + 4 + written.division(problem)
    on_the_way = gap * max(1.0, 1 / written.divided_by(problem)) * max(share, 1.0) * max(factor(problem, i), 1.0)
    if on_the_way > problem.format.largest / 4:
        return math.inf
    k = carried(problem, row, 2.0)[j]
    error = (share + off) * (unit.gamma(k + c) + unit.gamma(c) * gap) + off * gap
    underflow = unit.eta * ((5 * share + 2) / written.divided_by(problem) + 2) + 2 * unit.eta * gap
    return returned(problem, i, error, share * gap, with_factors(problem, i, underflow, gap))


def test_the_bound_of_a_target_gradient_is_its_formula(every: list[Problem]) -> None:
    for plain in every:
        if plain.objective.targets == "probability":
            problem = asking(plain, "target_gradient")
            expected = [[target_entry(problem, i, j) for j in range(4)] for i in range(3)]
            assert_same(derivative_bound(problem)[0], expected)


def test_the_derivative_that_is_the_gradient_has_the_gradient_s_bounds() -> None:
    problem = problem_of("moderate", Objective(), "float32")
    assert derivative_bound(problem) is first_order.gradient(problem)
    assert flushed_bound(problem) == first_order.flush_error(problem)


@pytest.mark.parametrize("derivative", ["hessian", "hessian_diagonal", "hessian_vector_product", "target_gradient"])
def test_what_flushing_costs_a_derivative_is_what_underflow_does_times_their_quotient(derivative: str) -> None:
    problem = asking(problem_of("moderate", OBJECTIVES["soft-everything"], "float32"), derivative)
    quotient = 2.0**23  # of the smallest normal and the smallest subnormal number
    found = np.asarray(flushed_bound(problem))
    assert found.ndim == derivative_bound(problem)[0].ndim
    assert_same(np.squeeze(found), np.squeeze(quotient * second_order.underflow_cost(problem)))


LARGE = [  # logit that is far below the other, sample weight, class weight, whether the entry overflows on the way
    (2.0**126 * 0.999, 1.0, 1.0, False),
    (2.0**126 * 1.001, 1.0, 1.0, True),
    (2.0**124 * 0.999, 4.0, 1.0, False),
    (2.0**124 * 1.001, 4.0, 1.0, True),
    (2.0**124 * 1.001, 1.0, 4.0, True),
    (2.0**124 * 0.999, 1.0, 4.0, False),
    (2.0**126 * 1.001, 0.25, 1.0, True),
    (2.0**126 * 1.001, 1.0, 0.25, True),
]


@pytest.mark.parametrize(("far", "sample", "weight", "overflows"), LARGE)
def test_a_target_gradient_that_may_overflow_on_the_way_has_no_bound(
    far: float, sample: float, weight: float, overflows: bool
) -> None:
    objective = Objective(
        "none", "probability", class_weights=(1.0, weight), sample_weights=(sample,), derivative="target_gradient"
    )
    problem = Problem(np.array([[0, -far]], np.float32), np.array([[1, 0]], np.float32), objective)
    assert np.isinf(second_order.target_gradient(problem)[0]).tolist() == [[False, overflows]]


def test_a_target_gradient_that_overflows_over_a_small_denominator_has_no_bound() -> None:
    far, weights = np.float32(2.0**124 * 1.001), (0.125, 0.125)
    for reduction, overflows in (("mean", True), ("none", False)):
        objective = Objective(reduction, "probability", sample_weights=weights, derivative="target_gradient")
        logits, shares = np.array([[0, -far]] * 2, np.float32), np.array([[1, 0]] * 2, np.float32)
        found = second_order.target_gradient(Problem(logits, shares, objective))[0]
        assert np.isinf(found).tolist() == [[False, overflows]] * 2


@pytest.mark.parametrize(("far", "overflows"), [(2.0**126 * 0.999, False), (2.0**126 * 1.001, True)])
def test_a_target_gradient_over_a_large_denominator_has_no_bound_where_what_is_divided_may_overflow(
    far: float, overflows: bool
) -> None:
    logits, shares = np.array([[0, -far]] * 2, np.float32), np.array([[1, 0]] * 2, np.float32)
    problem = Problem(logits, shares, Objective("mean", "probability", derivative="target_gradient"))
    assert np.isinf(second_order.target_gradient(problem)[0]).tolist() == [[False, overflows]] * 2


def test_the_target_gradient_of_a_masked_class_has_a_bound_although_it_is_infinite() -> None:
    objective = Objective("none", "probability", derivative="target_gradient")
    problem = Problem(np.array([[0, -math.inf]], np.float32), np.array([[1, 0]], np.float32), objective)
    assert np.isfinite(second_order.target_gradient(problem)[0]).all()


RANGES = [  # sample weight, reduction, what the largest of |v| is multiplied by on the way
    (1.0, "none", 2.0),
    (0.25, "none", 2.0),
    (8.0, "none", 16.0),
    (8.0, "mean", 16.0),
    (0.25, "mean", 8.0),
    (0.0, "mean", 2.0),
]


@pytest.mark.parametrize(("sample", "reduction", "factor_of_v"), RANGES)
def test_products_are_asked_up_to_a_quarter_of_the_vector_that_overflows(
    sample: float, reduction: str, factor_of_v: float
) -> None:
    objective = Objective(reduction, sample_weights=(sample,), derivative="hessian_vector_product")
    largest = float(np.finfo(np.float32).max) / (4 * factor_of_v)
    for size, fits in ((largest * 0.999, True), (largest * 1.001, False)):
        vector = np.array([[0, -size]], np.float32)
        problem = Problem(np.zeros((1, 2), np.float32), np.array([0]), objective, vector=vector)
        assert second_order.stays_in_range(problem) == fits
