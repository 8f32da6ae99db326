"""Bounds at the edges of a format: what maps make of far logits, subnormal weights, and what leaves the range."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradlab.bounds import derivative_bound, first_order, loss_bound
from gradlab.bounds.conditioning import conditioning, rows_in_range
from gradlab.bounds.rounding_counts import division_roundings
from gradlab.evaluation.claims import claims_from
from gradlab.harness.selection import may_be_asked
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.dtypes import format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

F32 = np.float32
ETA = float(np.finfo(F32).smallest_subnormal)


def at_temperature(x: Array, temperature: float) -> tuple[Array, Array]:
    """Losses and gradients of label 0 in float32: the logits are divided first, as most code does it."""
    z = x / F32(temperature)
    d = z - z.max(axis=1, keepdims=True)
    e = np.exp(d)
    s = e.sum(axis=1, keepdims=True)
    p = e / s
    p[:, 0] -= 1
    return (np.log(s) - d)[:, 0], p / F32(temperature)


@pytest.mark.parametrize("temperature", [0.7, 1.3, 3.0, 0.1])
@pytest.mark.parametrize("size", [1e8, 1e9, 1e10, 1e12, 1e20, 1e30])
def test_logits_that_the_division_makes_equal_are_within_the_bound(size: float, temperature: float) -> None:
    first = np.repeat(F32(size), 8)
    second = first.copy()
    for place in range(len(second)):  # one place in the last digit below, two, ...
        for _ in range(place + 1):
            second[place] = np.nextafter(second[place], F32(0))
    x = np.stack([first, second, np.zeros(8, dtype=F32)], axis=1)
    problem = Problem(x, np.zeros(8, dtype=np.int64), Objective("none", temperature=temperature))
    losses, gradient = at_temperature(x, temperature)
    truth = enclose(problem)
    assert (absolute_error(losses, truth.losses) <= first_order.forward_losses(problem)[0]).all()
    assert (absolute_error(gradient, truth.gradient) <= first_order.forward_gradient(problem)[0]).all()


def test_a_division_can_make_logits_equal_whose_exact_images_are_far_apart() -> None:
    below = np.nextafter(F32(1e12), F32(0))
    problem = Problem(np.array([[1e12, below, 0]], dtype=F32), np.array([0]), Objective("none", temperature=1.3))
    assert at_temperature(problem.logits, 1.3)[1][0, 1] > 0.3
    assert enclose(problem).gradient.exponent[0, 1] < -70_000
    assert conditioning(problem).probabilities[0, 1] == 1


def test_a_subnormal_weight_times_a_large_target_is_within_the_bound() -> None:
    weights, targets = (1.5 * ETA, 1.0), np.array([[1e30, 0.0]], dtype=F32)
    objective = Objective("sum", "probability", class_weights=weights)
    problem = Problem(np.zeros((1, 2), dtype=F32), targets, objective)
    t = targets * np.array(weights).astype(F32)
    gradient = t.sum(axis=1, keepdims=True) * F32(0.5) - t
    error = absolute_error(gradient, enclose(problem).gradient)
    assert error.max() > 1e-16
    assert (error <= first_order.forward_gradient(problem)[0]).all()


def test_a_factor_that_is_subnormal_over_the_denominator_is_within_the_bound() -> None:
    objective = Objective(class_weights=(1000.0, 1.0), sample_weights=(1e-30, 1e10))
    problem = Problem(np.zeros((2, 2), dtype=F32), np.array([0, 1]), objective)
    total = F32(1e-30) * F32(1000) + F32(1e10)
    share = F32(1e-30) / total  # early, as where a row's factor is made first
    assert 0 < share < np.finfo(F32).smallest_normal
    row = np.array([-0.5, 0.5], dtype=F32) * F32(1000) * share
    error = absolute_error(row, enclose(problem).gradient[0])
    assert (error <= first_order.forward_gradient(problem)[0][0]).all()
    assert error.max() > 5 * 2.0**-24 * 5e-38


OUT_OF_RANGE = {
    "a weight that float32 does not hold": Objective("sum", class_weights=(1e39, 1.0)),
    "one of a class that no row has": Objective("sum", class_weights=(1.0, 1e39)),
    "a sum of weights beyond float32": Objective(class_weights=(3e38, 3e38)),
    "a weight that is divided by and subnormal": Objective(class_weights=(1e-40, 1e-40)),
    "a factor and a coefficient": Objective("sum", class_weights=(1e30, 1.0), sample_weights=(1e30, 1.0)),
    "a temperature of which 1/T overflows": Objective(temperature=1e-39),
    "the square of lse": Objective(z_loss=1e38),
    "a poly_epsilon times the coefficients": Objective("sum", class_weights=(1e30, 1.0), poly_epsilon=1e30),
    "a sum of weights beyond float64": Objective(class_weights=(1e308, 1e308)),
}


@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_what_leaves_the_range_on_the_way_is_not_asked_and_has_no_bound(name: str) -> None:
    objective = OUT_OF_RANGE[name]
    problem = Problem(np.array([[30.0, 0.0], [1.0, 30.0]], dtype=F32), np.array([0, 1]), objective)
    claims = claims_from({"reduction": ("mean", "sum"), "options": tuple(objective.options)})
    assert not rows_in_range(problem).all()
    assert not may_be_asked(claims, problem)
    assert loss_bound(problem)[0] == math.inf
    assert np.isinf(first_order.gradient(problem)[0]).any()


IN_RANGE = {
    "ordinary weights": Objective(class_weights=(2.0, 0.01), sample_weights=(0.5, 3.0)),
    "large weights": Objective(class_weights=(1e30, 1e30)),
    "small weights": Objective(class_weights=(1e-30, 1e-30)),
    "a row of weight 0": Objective(sample_weights=(0.0, 3.0)),
    "weights that sum to 0": Objective(class_weights=(0.0, 0.0)),
    "a subnormal weight that nothing is divided by": Objective("sum", class_weights=(1e-40, 1e-40)),
}


@pytest.mark.parametrize("name", IN_RANGE)
def test_what_stays_in_range_has_a_bound(name: str) -> None:
    problem = Problem(np.array([[30.0, 0.0], [1.0, 30.0]], dtype=F32), np.array([0, 1]), IN_RANGE[name])
    assert rows_in_range(problem).all()
    assert np.isfinite(loss_bound(problem)[0])
    assert np.isfinite(first_order.gradient(problem)[0]).all()


def test_logits_as_large_as_can_be_are_in_range_of_one_hot_targets(dtype: str) -> None:
    largest = format_of(dtype).largest
    logits = np.array([[largest, -largest, 0.0]]).astype(format_of(dtype).dtype)
    one_hot = np.array([[0.0, 1.0, 0.0]]).astype(logits.dtype)
    assert rows_in_range(Problem(logits, one_hot, Objective("sum", "probability"))).all()
    masked = np.array([[-np.inf, 1.0, 0.0]]).astype(logits.dtype)
    weighted = Objective("sum", class_weights=(2.0, 1.0, 1.0), sample_weights=(3.0,))
    assert rows_in_range(Problem(masked, np.array([0]), weighted)).all()


def test_a_mean_over_so_many_rows_that_its_reciprocal_is_subnormal_is_within_the_bound() -> None:
    n_rows = 50_001  # in float16 1/N has 9 bits
    rows = np.tile(np.array([[1.0, 0.0], [0.0, 0.5]], dtype=np.float16), (n_rows // 2 + 1, 1))[:n_rows]
    problem = Problem(rows, np.zeros(n_rows, dtype=np.int64))
    exact = enclose(problem)
    total = np.float16(exact.losses.nearest().sum())
    with np.errstate(under="ignore"):
        reciprocal = np.float16(1) / np.float16(n_rows)
    assert np.isfinite(total)
    assert reciprocal < np.finfo(np.float16).smallest_normal
    error = absolute_error(np.asarray(total * reciprocal), exact.loss)
    assert error <= loss_bound(problem)[0]
    assert division_roundings(problem) == 2 + n_rows * 2.0**-14


def test_a_row_that_rises_over_and_over_from_where_exp_is_0_has_bounds_that_are_numbers() -> None:
    dtype = format_of("bfloat16").dtype
    rising = -np.arange(20_000, 0, -1).astype(np.uint16).view(dtype)  # every number from -6e8 to just below 0
    problem = Problem(rising[None], np.array([rising.size - 1]))
    c = conditioning(problem)
    assert c.rises[0, 0] == rising.size - 1
    assert c.probabilities[0, 0] == 0
    for bound in (first_order.losses(problem), first_order.gradient(problem)):
        assert not np.isnan(bound[0]).any()


def test_the_target_gradient_has_a_bound_at_a_masked_class_of_weight_two() -> None:
    objective = Objective("sum", "probability", class_weights=(1.0, 2.0), derivative="target_gradient")
    problem = Problem(np.array([[1.0, -np.inf]]), np.array([[1.0, 0.0]]), objective)
    bound = derivative_bound(problem)[0]
    assert not np.isnan(bound).any()
    assert np.isfinite(bound[0, 0])
