"""The constants of the checks of invariants: 1/2 for Lipschitz, convexity, what flushing and a few ULP may cost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradlab.bounds import first_order, loss_bound
from gradlab.bounds.rounding_counts import ACCURATE_BETA
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.placing import make_problem, underflows
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem


def hessian(p: Array) -> Array:
    return np.asarray(np.diag(p) - np.outer(p, p))


@pytest.mark.parametrize("n_classes", [1, 2, 3, 10, 50])
def test_eigenvalues_of_the_hessian_lie_between_zero_and_a_half(n_classes: int) -> None:
    rng = np.random.default_rng(n_classes)
    for concentration in (0.05, 1.0, 20.0):
        eigenvalues = np.linalg.eigvalsh(hessian(rng.dirichlet(np.full(n_classes, concentration))))
        assert eigenvalues.min() >= -1e-15
        assert eigenvalues.max() <= 0.5 + 1e-15


def test_two_equal_classes_reach_the_half() -> None:
    assert np.linalg.eigvalsh(hessian(np.array([0.5, 0.5]))).max() == pytest.approx(0.5, rel=1e-15, abs=0)


def test_gradient_between_two_points_moves_by_at_most_half_of_what_the_logits_move_and_nearly_does() -> None:
    near = Problem(np.array([[2.0**-6, -(2.0**-6)], [-(2.0**-6), 2.0**-6]]), np.array([0, 0]), Objective("sum"))
    gradient = enclose(near).gradient.nearest()
    ratio = np.linalg.norm(gradient[0] - gradient[1]) / np.linalg.norm(near.logits[0] - near.logits[1])
    assert 0.4999 < ratio <= 0.5


def flushing(problem: Problem) -> tuple[Array, Array]:
    """Loss and gradient of the shifted form in the dtype of the logits, every subnormal result set to 0."""

    def flush(values: Any) -> Array:
        return np.where(np.abs(values) < np.finfo(problem.logits.dtype).tiny, 0, values).astype(problem.logits.dtype)

    d = flush(problem.logits - problem.logits.max(axis=1, keepdims=True))
    e = flush(np.exp(d))
    s = e.sum(axis=1, keepdims=True)
    p = flush(e / s)
    losses = flush(np.log(s[:, 0]) - d[np.arange(len(d)), problem.targets])
    one_hot = np.arange(problem.n_classes) == problem.targets[:, None]
    return flush(losses.mean()), flush((p - one_hot) / np.float32(problem.n_rows))


@pytest.fixture(params=["float32", "float64"])
def among_subnormals(request: pytest.FixtureRequest) -> Problem:
    fmt = format_of(request.param)
    depths = underflows(fmt) - np.linspace(0.1, 16.5, 9) - 2
    return make_problem(fmt, np.stack([-depths, 0 * depths, -depths - 0.3], axis=1), np.ones(9, dtype=np.int64))


def test_flushed_results_are_within_the_bound_for_flushing(among_subnormals: Problem) -> None:
    loss, gradient = flushing(among_subnormals)
    truth, room = enclose(among_subnormals), first_order.flush_error(among_subnormals)
    assert (absolute_error(gradient, truth.gradient) <= first_order.forward_gradient(among_subnormals)[0] + room).all()
    assert absolute_error(loss, truth.loss) <= loss_bound(among_subnormals)[0] + room


def test_flushed_results_are_beyond_the_bound_without_flushing(among_subnormals: Problem) -> None:
    error = absolute_error(flushing(among_subnormals)[1], enclose(among_subnormals).gradient)
    assert (error > first_order.forward_gradient(among_subnormals)[0]).any()


def test_the_bound_for_flushing_counts_each_place_where_a_subnormal_may_be_lost(among_subnormals: Problem) -> None:
    places = (3 + 1 + 2) / 9 + 1  # 3 probabilities or terms of S, times t, two products; over 9 rows; then the mean
    smallest = among_subnormals.format.smallest_normal
    assert first_order.flush_error(among_subnormals) == pytest.approx(places * smallest, rel=1e-12, abs=0)


@pytest.mark.parametrize("shape", [(1, 2), (50, 3), (2, 400)])
def test_ulps_of_an_entry_depend_on_neither_rows_nor_classes(shape: tuple[int, int]) -> None:
    problem = Problem(np.zeros(shape), np.zeros(shape[0], dtype=np.int64))
    assert first_order.accurate_ulps(problem) == 6 * ACCURATE_BETA + 4


@pytest.mark.parametrize(
    ("reduction", "n_rows", "more"), [("none", 5, 0), ("mean", 5, 4), ("sum", 5, 4), ("sum", 0, 0)]
)
def test_ulps_of_the_loss_grow_by_one_for_each_addition(reduction: str, n_rows: int, more: int) -> None:
    problem = Problem(np.zeros((n_rows, 3)), np.zeros(n_rows, dtype=np.int64), Objective(reduction))
    assert first_order.accurate_loss_ulps(problem) == first_order.accurate_ulps(problem) + more


def test_adding_non_negative_losses_in_order_costs_at_most_one_ulp_each() -> None:
    losses = np.random.default_rng(4).uniform(0, 1, 64).astype(np.float32)
    total = np.float32(0)
    for loss in losses:
        total += loss
    assert abs(float(total) - math.fsum(losses)) <= 63 * float(np.spacing(total))
