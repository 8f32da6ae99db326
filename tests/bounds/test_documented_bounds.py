"""The bounds of loss and gradient are what their docstrings say, to the last constant and the smallest term."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.bounds import calculus, first_order, loss_bound, rounding_counts
from gradlab.bounds.conditioning import rows_in_range
from gradlab.problems.dtypes import DTYPE_NAMES, format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from tests.bounds import written_out as written
from tests.bounds.documented import WEIGHTS, assert_same, problem_with

OBJECTIVES = {
    "mean": Objective(),
    "sum": Objective("sum"),
    "none": Objective("none"),
    "smoothed": Objective(label_smoothing=0.1),
    "smoothed-sum": Objective("sum", label_smoothing=0.9),
    "weighted": Objective(class_weights=WEIGHTS),
    "weighted-by-rows": Objective(class_weights=WEIGHTS, mean_over="number_of_rows"),
    "weighted-smoothed": Objective("none", label_smoothing=0.3, class_weights=WEIGHTS),
    "soft": Objective(targets="probability"),
    "soft-weighted": Objective("mean", "probability", 0.25, WEIGHTS),
}
ROWS = {
    "moderate": [[0.5, -1.0, 0.25, 1.5], [1.5, 0.5, -0.5, 1.5], [-1.0, 0.0, 0.25, 0.5]],
    "wide": [[0.0, -9.0, 3.0, 5.0], [20.0, 0.0, -1000.0, 12.0], [-3.0, -2.0, 6.0, 8.0]],
    "far": [[0.0, -6e4, 6e4, 1.0], [6e4, 0.0, 0.0, 6e4], [1.0, 1.0, 1.0, 1.0]],
    "equal": [[2.0] * 4] * 3,
}


def problem_of(rows: str, objective: Objective, dtype: str) -> Problem:
    return problem_with(ROWS[rows], objective, dtype)


@pytest.fixture(params=DTYPE_NAMES)
def every(request: pytest.FixtureRequest) -> list[Problem]:
    """A problem of each kind of rows and each objective, in one dtype."""
    return [problem_of(rows, objective, request.param) for rows in ROWS for objective in OBJECTIVES.values()]


def assert_known(problem: Problem, found: Array, expected: Any) -> None:
    """The same for bounds of rows, of which those that may overflow on the way have none."""
    known = rows_in_range(problem).reshape(-1, *[1] * (found.ndim - 1))
    assert_same(found, np.where(known, np.array(expected), np.inf))


def test_forward_bound_of_the_gradient_is_its_formula(every: list[Problem]) -> None:
    for problem in every:
        rows = [written.row_of(problem, i) for i in range(problem.n_rows)]
        expected = [written.gradient(problem, row, written.carried(row)) for row in rows]
        assert_known(problem, first_order.forward_gradient(problem)[0], expected)


def test_bound_of_the_gradient_for_any_form_is_its_formula(every: list[Problem]) -> None:
    for problem in every:
        rows = [written.row_of(problem, i) for i in range(problem.n_rows)]
        expected = [written.gradient(problem, row, written.carried_by_any_form(row)) for row in rows]
        assert_known(problem, first_order.any_form_gradient(problem)[0], expected)


def test_forward_bound_of_the_losses_is_its_formula(every: list[Problem]) -> None:
    for problem in every:
        rows = [written.row_of(problem, i) for i in range(problem.n_rows)]
        expected = [written.loss(row, written.carried(row), problem.format.largest) for row in rows]
        assert_known(problem, first_order.forward_losses(problem)[0], expected)


@pytest.mark.parametrize("radius", [0.0, 0.25, 3.0])
def test_bound_of_the_losses_for_any_form_is_its_formula(every: list[Problem], radius: float) -> None:
    for problem in every:
        rows = [written.row_of(problem, i, radius) for i in range(problem.n_rows)]
        expected = []
        for row in rows:
            terms = row.of_mass + 2 if row.of_mass else 0.0
            more = (8 + row.unit.base + 1 + terms) * (2 * row.largest + row.log_sum)
            k = [one + more for one in written.carried(row)]
            expected.append(written.loss(row, k, problem.format.largest))
        assert_known(problem, first_order.any_form_losses(problem, radius)[0], expected)


def returned_loss(problem: Problem, own: Array, radius: float) -> float:
    """The error of the returned loss, from those of the rows' losses."""
    unit, divisor, largest = written.Unit(problem.format), written.divided_by(problem), problem.format.largest
    rows = [written.row_of(problem, i, radius) for i in range(problem.n_rows)]
    growth = unit.gamma(unit.sums(problem.n_rows) + written.division(problem))
    total = min(sum(min(row.loss, largest) / divisor for row in rows), largest)
    return float((1 + growth) * own.sum() / divisor + growth * total + 2 * unit.eta)


@pytest.mark.parametrize("radius", [0.0, 0.25])
def test_bound_of_the_returned_loss_is_its_formula(every: list[Problem], radius: float) -> None:
    for problem in every:
        bounds = [
            first_order.any_form_losses(problem, radius),
            *([first_order.forward_losses(problem)] * (radius == 0)),
        ]
        for own in bounds:
            if problem.objective.reduction == "none":
                assert first_order.reduced_loss(problem, own, radius) == own
            else:
                expected = returned_loss(problem, own[0], radius)
                assert_same(first_order.reduced_loss(problem, own, radius)[0], expected)


def test_what_flushing_costs_is_its_formula(every: list[Problem]) -> None:
    for problem in every:
        mass = max(written.row_of(problem, i).mass for i in range(problem.n_rows))
        places = ((problem.n_classes + 1) * mass + 2) / written.divided_by(problem) + 1
        cost = places * problem.format.smallest_normal if rows_in_range(problem).all() else math.inf
        assert_same(np.asarray(first_order.flush_error(problem)), cost)


def test_a_sum_overflows_exactly_where_the_losses_exceed_the_largest_number() -> None:
    half = np.finfo(np.float32).max / 2
    for second, overflows in ((half, False), (np.nextafter(half, np.float32(np.inf)) * np.float32(1.0001), True)):
        logits = np.array([[half, 0], [second, 0]], dtype=np.float32)
        for reduction in ("mean", "sum"):
            assert first_order.sum_overflows(Problem(logits, np.array([1, 1]), Objective(reduction))) == overflows
        assert not first_order.sum_overflows(Problem(logits, np.array([1, 1]), Objective("none")))


def test_losses_of_two_problems_are_apart_by_the_errors_of_both_or_by_anything_where_a_sum_overflows() -> None:
    problem = problem_of("moderate", Objective(), "float32")
    other = problem.replace(logits=problem.logits * np.float32(2))
    both = loss_bound(problem)[0] + loss_bound(other)[0]
    assert_same(first_order.loss_of_either(problem, other), both)
    beyond = Problem(np.array([[3e38, 0], [3e38, 0]], dtype=np.float32), np.array([1, 1]))
    assert np.isinf([first_order.loss_of_either(problem, beyond), first_order.loss_of_either(beyond, problem)]).all()


@pytest.mark.parametrize("moderate", [True, False])
def test_the_mathematics_is_judged_by_any_form_on_moderate_logits_and_by_the_shifted_one_elsewhere(
    moderate: bool,
) -> None:
    problem = problem_of("moderate" if moderate else "far", Objective(), "float32")
    assert problem.is_moderate == moderate
    gradients = first_order.any_form_gradient(problem) if moderate else first_order.forward_gradient(problem)
    losses = first_order.any_form_losses(problem) if moderate else first_order.forward_losses(problem)
    assert first_order.gradient(problem) is gradients
    assert first_order.losses(problem) is losses
    assert loss_bound(problem)[0] == first_order.reduced_loss(problem, losses)[0]


def test_the_sum_of_two_answers_errors_and_that_of_a_row_are_sums() -> None:
    problem = problem_of("wide", Objective("sum"), "float64")
    bound = first_order.forward_gradient(problem)
    assert_same(first_order.row_sums(problem, bound)[0], [math.fsum(row) for row in bound[0]])
    assert_same(first_order.both(bound, bound)[0], 2 * bound[0])


def test_what_roundings_carry_is_their_formula(dtype: str) -> None:
    fmt, unit = format_of(dtype), written.Unit(format_of(dtype))
    assert_same(np.asarray(rounding_counts.unit(fmt)), unit.v)
    assert_same(rounding_counts.gamma(np.array([1.0, 50.0, 1e300]), fmt), [unit.gamma(k) for k in (1.0, 50.0, 1e300)])
    assert rounding_counts.sum_roundings(1000, fmt) == unit.sums(1000)
    assert rounding_counts.base_roundings(fmt) == unit.base
    assert_same(np.asarray(rounding_counts.vanishes(fmt)), unit.vanishes)
    assert rounding_counts.BETA == 4


DIVISIONS = {
    "none": (Objective("none"), 0.0),
    "mean": (Objective(), 3.0),
    "class weights": (Objective(class_weights=WEIGHTS), 3 + 3 + 1.0),
    "sample weights": (Objective(sample_weights=(1.0, 2.0, 3.0)), 3 + 3 + 1 + 2.0),
    "both": (Objective(class_weights=WEIGHTS, sample_weights=(1.0, 2.0, 3.0)), 3 + 3 + 1 + 2.0),
    "soft with class weights": (Objective("mean", "probability", class_weights=WEIGHTS), 3.0),
    "soft with sample weights": (Objective("mean", "probability", sample_weights=(1.0, 2.0, 3.0)), 3 + 3 + 1 + 2.0),
    "by the number of rows": (Objective(class_weights=WEIGHTS, mean_over="number_of_rows"), 3.0),
}


@pytest.mark.parametrize("case", DIVISIONS)
def test_what_a_division_carries_is_its_roundings_counted_one_by_one(case: str) -> None:
    objective, expected = DIVISIONS[case]
    assert rounding_counts.division_roundings(problem_of("equal", objective, "float32")) == expected


def test_a_mean_over_nothing_is_not_divided() -> None:
    nothing = Problem(np.zeros((1, 2)), np.array([-1]), Objective(ignore_index=-1))
    assert rounding_counts.divisor(nothing) == 1
    some = Problem(np.zeros((5, 2)), np.array([0, 1, 1, -1, 0]), Objective(ignore_index=-1))
    assert rounding_counts.divisor(some) == 4


def test_each_option_of_rows_carries_a_conversion_and_a_product() -> None:
    own = Objective("none", sample_weights=(1.0, 2.0, 3.0))
    for objective, expected in ((Objective(), 0), (own, 2), (replace(own, upstream=(1.0, 2.0, 3.0)), 4)):
        assert rounding_counts.factor_roundings(problem_of("equal", objective, "float32")) == expected


@pytest.mark.parametrize(
    ("width", "mass", "n_nodes"), [(1.0, 1.0, 3), (12.0, 0.3, 20), (0.1, 5.0, 2), (300.0, 1.0, 64)]
)
def test_the_bound_of_a_path_integral_is_that_of_gauss_legendre_on_its_ellipse(
    width: float, mass: float, n_nodes: int
) -> None:
    b = math.pi / width
    rho = b + math.sqrt(b * b + 1)
    largest = mass * (width / 2) * math.sqrt(2)
    expected = 64 / 15 * largest * rho ** (-2 * (n_nodes - 1)) / (1 - rho**-2) / 2  # of [0, 1], half of [-1, 1]
    assert calculus.gauss_legendre(width, mass, n_nodes) == pytest.approx(expected, rel=1e-11, abs=0)


def test_the_bound_of_a_central_difference_is_truncation_and_the_error_of_both_losses() -> None:
    error, curvature, step = np.array([1e-7, 2e-3]), np.array([3.0, 0.25]), 2.0**-7
    expected = step**2 / 6 * curvature / (6 * math.sqrt(3)) + 2 * error / (2 * step)
    assert_same(calculus.central_difference(error, curvature, step)[0], expected)
