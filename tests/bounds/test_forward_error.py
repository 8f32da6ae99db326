"""No faithful implementation exceeds the bounds on loss and gradient: every form, format, objective and hard row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from gradlab.bounds import first_order, loss_bound
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.dtypes import format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from tests.bounds.ratios import ULPS, any_form_bounds, exceeding, forward_bounds

CLASSES = (1, 2, 5, 40)
IN_BASE_TWO = ("quotient_in_base_two", "log_space_in_base_two")

Answer = Callable[[Problem, Any, int], tuple[Array, Array]]
Strain = Callable[[str, int, Objective, bool], Problem]
Forms = Mapping[str, Any]


def forward_loss(problem: Problem) -> tuple[Array, str]:
    return first_order.reduced_loss(problem, first_order.forward_losses(problem))


def loss_ratio(problem: Problem, loss: Array, bound: tuple[Array, str]) -> float:
    ratio = absolute_error(loss, enclose(problem).loss) / bound[0]
    return float(np.where((loss == np.inf) & first_order.sum_overflows(problem), 0.0, ratio).max())


def gradient_ratio(problem: Problem, gradient: Array, bound: tuple[Array, str]) -> float:
    return float((absolute_error(gradient, enclose(problem).gradient) / bound[0]).max())


@pytest.mark.parametrize("n_classes", CLASSES)
def test_standard_algorithms_are_within_the_forward_bound(
    dtype: str, objective: Objective, n_classes: int, strain: Strain, answer: Answer, standard_forms: Forms
) -> None:
    problem = strain(dtype, n_classes, objective, False)
    assert exceeding(problem, standard_forms, forward_bounds(problem), answer) == []


@pytest.mark.parametrize("n_classes", CLASSES)
def test_all_forms_are_within_their_bound_on_moderate_logits(
    dtype: str, objective: Objective, n_classes: int, strain: Strain, answer: Answer, forms: Forms
) -> None:
    problem = strain(dtype, n_classes, objective, True)
    assert problem.is_moderate
    assert exceeding(problem, forms, any_form_bounds(problem), answer) == []


def test_forward_bound_is_within_a_factor_of_thirty_of_what_happens(
    standard: Any, dtype: str, strain: Strain, answer: Answer
) -> None:
    if dtype in ("float16", "bfloat16") and standard.__name__ in IN_BASE_TWO:
        pytest.skip("the room is for others: these change the base in float32")
    problem = strain(dtype, 2, Objective("none"), False)
    answers = [answer(problem, standard, ulps) for ulps in ULPS]
    assert max(loss_ratio(problem, loss, forward_loss(problem)) for loss, _ in answers) > 1 / 30
    assert max(gradient_ratio(problem, g, first_order.forward_gradient(problem)) for _, g in answers) > 1 / 30


def test_bound_of_any_form_is_within_a_factor_of_thirty_of_what_happens(
    any_form: Any, dtype: str, strain: Strain, answer: Answer
) -> None:
    if any_form.__name__ in IN_BASE_TWO:
        pytest.skip("the room is for others: these have a shift, and change the base in float32 at least")
    whole = strain(dtype, 2, Objective("none"), True)
    parts = zip(whole.logits[:, None], whole.targets[:, None], strict=True)
    rows = [whole.replace(logits=logits, targets=targets) for logits, targets in parts]
    answers = [(row, *answer(row, any_form, ulps)) for row in rows for ulps in ULPS]
    assert max(loss_ratio(row, loss, loss_bound(row)) for row, loss, _ in answers) > 1 / 30
    assert max(gradient_ratio(row, g, first_order.gradient(row)) for row, _, g in answers) > 1 / 30


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_forward_bound_at_two_equal_logits_is_that_of_the_formula(name: str) -> None:
    problem = Problem(np.zeros((1, 2), dtype=name), np.array([0]))
    k = 2 + 4 * 4 + 11 * math.log(2) + 1
    expected = ((k + 1 + 4) / 2 + (k + 2 + 2 + 4) / 2 + 4 / 2) * format_of(name).unit_roundoff
    assert first_order.forward_gradient(problem)[0][0, 0] == pytest.approx(expected, rel=1e-4, abs=0)


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_forward_bound_of_the_loss_at_two_equal_logits_is_that_of_the_formula(name: str) -> None:
    problem = Problem(np.zeros((1, 2), dtype=name), np.array([0]))
    k = 2 + 4 * 4 + 11 * math.log(2) + 1
    expected = (k + 8 + 2 + (8 + 2) * math.log(2)) * format_of(name).unit_roundoff
    assert first_order.forward_losses(problem)[0][0] == pytest.approx(expected, rel=1e-4, abs=0)


def test_bound_of_the_loss_grows_by_the_errors_of_the_coefficients_times_what_they_weigh() -> None:
    problem = Problem(np.zeros((1, 2)), np.array([0]), Objective(label_smoothing=0.5))
    k, terms = 2 + 4 * 4 + 11 * math.log(2) + 1, 2  # a sum over both classes, whose coefficients are 3/4 and 1/4
    missed = (6 + 3 * 0.5) * math.log(2)  # six roundings of each, three of eps in the target's part
    expected = (k + 8 + 2 + terms + (8 + 2 + terms) * math.log(2) + missed) * 2.0**-53
    assert first_order.forward_losses(problem)[0][0] == pytest.approx(expected, rel=1e-4, abs=0)


def test_bound_of_any_form_grows_by_the_size_of_the_logits_that_are_not_shifted() -> None:
    problem = Problem(np.full((1, 2), 3.0), np.array([0]))
    for any_form, forward, expected in (
        (first_order.any_form_gradient, first_order.forward_gradient, 11 * (3 + math.log(2)) + 2 * 3),
        (first_order.any_form_losses, first_order.forward_losses, 11 * (6 + math.log(2))),
    ):
        more = (any_form(problem)[0] - forward(problem)[0]).flat[0] / 2.0**-53
        assert more == pytest.approx(expected, rel=1e-4, abs=0)


def test_forward_bound_grows_by_one_rounding_of_each_probability_for_each_class() -> None:
    bounds = [first_order.forward_gradient(Problem(np.zeros((1, n)), np.array([0])))[0][0, 1] * n for n in (1000, 2000)]
    assert (bounds[1] - bounds[0]) / 2.0**-53 == pytest.approx(1000 + 11 * math.log(2), rel=1e-3, abs=0)


def test_forward_bound_grows_by_what_a_one_pass_sum_rescales() -> None:
    rising, falling = (
        Problem(np.array([[0.0, 1.0, 2.0]]), np.array([2])),
        Problem(np.array([[2.0, 1.0, 0.0]]), np.array([0])),
    )
    more = first_order.forward_losses(rising)[0][0] - first_order.forward_losses(falling)[0][0]
    p = np.exp([-2.0, -1.0, 0.0]) / np.exp([-2.0, -1.0, 0.0]).sum()
    assert more / 2.0**-53 == pytest.approx(9 * (2 * p[0] + p[1]), rel=1e-6, abs=0)  # 2 beta + 1 for each new maximum


def test_bound_does_not_depend_on_the_number_of_rows_but_for_the_division() -> None:
    row = np.array([[0.5, -1.0, 2.0]])
    one, many = (Problem(np.tile(row, (n, 1)), np.full(n, 1)) for n in (1, 64))
    np.testing.assert_allclose(
        first_order.forward_gradient(many)[0] * 64, first_order.forward_gradient(one)[0].repeat(64, 0), rtol=1e-12
    )


def test_rows_sum_to_zero_within_the_sum_of_their_errors(
    dtype: str, objective: Objective, strain: Strain, answer: Answer, standard_forms: Forms
) -> None:
    problem = strain(dtype, 5, objective, False)
    bounds = first_order.row_sums(problem, first_order.forward_gradient(problem))[0]
    for name, standard in standard_forms.items():
        _, gradient = answer(problem, standard, 3)
        sums = np.array([math.fsum(row) for row in gradient.astype(np.float64)])
        assert (np.abs(sums) <= bounds).all(), name
