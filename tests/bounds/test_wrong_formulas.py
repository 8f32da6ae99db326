"""The bounds are no wider than they need to be: wrong or unstable formulas exceed them in every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.bounds import first_order, loss_bound
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.coefficients import coefficients_of
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.placing import make_problem
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

WEIGHTS = (0.5, 4.0, 2.0)
ROWS = [[0.0, 0.5, -0.5], [0.25, -0.25, 0.125], [0.5, 0.5, 0.0]]
LABELS = [0, 2, 1]
CONFIDENT = [[1.75, 0.0, 0.0], [0.0, 0.0, 1.75], [0.0, 1.75, 0.0]]  # where p_j is small, t_j counts for more


def exact(problem: Problem) -> tuple[Array, Array]:
    """The exact loss and gradient in float64."""
    truth = enclose(problem)
    return truth.loss.nearest(), truth.gradient.nearest()


def exceeds(problem: Problem, loss: Any, gradient: Array) -> bool:
    """Whether an answer is beyond the bound on loss or gradient."""
    truth = enclose(problem)
    beyond_loss = absolute_error(np.asarray(loss), truth.loss) > loss_bound(problem)[0]
    beyond_gradient = absolute_error(gradient, truth.gradient) > first_order.gradient(problem)[0]
    return bool(beyond_loss.any() or beyond_gradient.any())


def moderate(dtype: str, **options: Any) -> Problem:
    rows = CONFIDENT if "label_smoothing" in options else ROWS
    return make_problem(format_of(dtype), rows, LABELS).replace(objective=Objective(**options))


def as_rounded(problem: Problem, values: Array) -> Array:
    return np.asarray(values).astype(problem.logits.dtype)


def test_correctly_rounded_answers_are_accepted(dtype: str) -> None:
    problem = moderate(dtype)
    loss, gradient = (as_rounded(problem, values) for values in exact(problem))
    assert not exceeds(problem, loss, gradient)


def smoothing_over_the_others(problem: Problem) -> tuple[Array, Array]:
    eps, n = problem.objective.label_smoothing, problem.n_classes
    return exact(problem.replace(objective=replace(problem.objective, label_smoothing=eps * n / (n - 1))))


def mean_by_count(problem: Problem) -> tuple[Array, Array]:
    loss, gradient = exact(problem.replace(objective=replace(problem.objective, reduction="sum")))
    return loss / problem.n_rows, gradient / problem.n_rows


def probabilities_less_targets(problem: Problem) -> tuple[Array, Array]:
    loss, gradient = exact(problem)
    t = coefficients_of(problem)
    p = (gradient * problem.n_rows + t) / t.sum(axis=1, keepdims=True)
    return loss, (p - t) / problem.n_rows


def not_divided(problem: Problem) -> tuple[Array, Array]:
    loss, gradient = exact(problem)
    return loss, gradient * problem.n_rows


def ignored_rows_counted(problem: Problem) -> tuple[Array, Array]:
    return mean_by_count(problem)


WRONG: dict[str, tuple[Callable[[Problem], tuple[Array, Array]], dict[str, Any]]] = {
    "eps/(K - 1)": (smoothing_over_the_others, {"label_smoothing": 0.5}),
    "weighted mean divided by N": (mean_by_count, {"class_weights": WEIGHTS}),
    "p - t where t sums to another number": (
        probabilities_less_targets,
        {"class_weights": WEIGHTS, "reduction": "mean"},
    ),
    "gradient not divided": (not_divided, {}),
    "ignored rows counted": (ignored_rows_counted, {"ignore_index": 2}),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_formula_exceeds_the_bound(name: str, dtype: str) -> None:
    function, options = WRONG[name]
    problem = moderate(dtype, **options)
    assert exceeds(problem, *function(problem))


@pytest.mark.parametrize("entry", [(0, 0), (0, 1), (2, 2)])
def test_entry_off_by_a_hundred_and_thirty_roundings_exceeds_the_bound(dtype: str, entry: tuple[int, int]) -> None:
    problem = moderate(dtype)
    loss, gradient = exact(problem)
    gradient[entry] *= 1 + 130 * problem.format.unit_roundoff
    assert exceeds(problem, loss, gradient)


def offset(dtype: str) -> Problem:
    fmt = format_of(dtype)
    return make_problem(fmt, 2.0**fmt.precision - np.array([[0.0, 1.0, 3.0]]), [1])


def test_log_sum_exp_less_the_target_exceeds_the_bound_at_an_offset(dtype: str) -> None:
    problem = offset(dtype)
    x = problem.logits
    lse = x.max() + as_rounded(problem, np.log(np.exp(problem.logits64 - problem.logits64.max()).sum()))
    assert exceeds(problem, lse - x[0, 1], exact(problem)[1])


def test_exp_of_logit_less_log_sum_exp_exceeds_the_bound_at_an_offset(dtype: str) -> None:
    problem = offset(dtype)
    x = problem.logits
    lse = x.max() + as_rounded(problem, np.log(np.exp(problem.logits64 - problem.logits64.max()).sum()))
    p = np.exp((x - lse).astype(np.float64))
    assert exceeds(problem, exact(problem)[0], p - coefficients_of(problem))


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_sum_of_four_thousand_ones_exceeds_the_bound(half: str) -> None:
    problem = make_problem(format_of(half), np.zeros((1, 4096)), [0])
    counted = 1.0 / problem.format.unit_roundoff  # where adding 1 changes nothing any more
    assert exceeds(problem, np.log(counted), 1 / counted - coefficients_of(problem))


@pytest.mark.parametrize("value", [np.nan, 3.0, -np.inf])
def test_only_infinity_is_accepted_beside_a_mean_whose_sum_overflows(dtype: str, value: float) -> None:
    fmt = format_of(dtype)
    problem = make_problem(fmt, np.tile([[0.0, -0.9 * fmt.largest]], (3, 1)), [1, 1, 1])
    assert first_order.sum_overflows(problem)
    assert exceeds(problem, value, exact(problem)[1])
