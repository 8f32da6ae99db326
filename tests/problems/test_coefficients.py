"""Coefficients and denominators against loops over rows and classes at 60 digits, for every option."""

from __future__ import annotations

import itertools
from typing import Any

import mpmath
import numpy as np
import pytest

from gradlab.oracle.enclosure import enclose
from gradlab.problems.coefficients import (
    coefficients_of,
    denominator_of,
    denominators_of,
    unsmoothed_coefficients_of,
)
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.options import MEANS, REDUCTIONS
from gradlab.problems.problem import Problem
from gradlab.reference import numpy_forms

LOGITS = np.array([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [-3.0, 1.0, 0.25], [4.0, 1.0, 1.0]])
LABELS = np.array([2, 0, 1, 2])
SHARES = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.75, 0.5, 0.5]])
WEIGHTS = (0.3, 0.0, 2.5)
ROUNDINGS = 6 * 2.0**-53

OBJECTIVES = [
    Objective(reduction, targets, smoothing, weights, ignored)
    for reduction, targets, smoothing, weights, ignored in itertools.product(
        REDUCTIONS, ("index", "probability"), (0.0, 0.1, 1.0), (None, WEIGHTS), (None, 2, -100)
    )
    if targets == "index" or ignored is None
]


def posed(objective: Objective, dtype: str = "float64") -> Problem:
    targets = LABELS.copy() if objective.targets == "index" else SHARES.astype(as_dtype(dtype))
    if objective.ignore_index == -100:
        targets[1] = -100
    return Problem(LOGITS.astype(as_dtype(dtype)), targets, objective)


def in_words(problem: Problem) -> tuple[list[list[Any]], Any]:
    """t_ij and the mean's denominator, as the objective's docstring says them."""
    objective, n = problem.objective, problem.n_classes
    eps = mpmath.mpf(objective.label_smoothing)
    weights = [mpmath.mpf(w) for w in objective.class_weights or [1.0] * n]
    rows, denominator = [], mpmath.mpf(0)
    for target in problem.targets:
        if objective.targets == "probability":
            rows.append([w * ((1 - eps) * float(q) + eps / n) for w, q in zip(weights, target, strict=True)])
            denominator += 1
        elif target == objective.ignore_index:
            rows.append([mpmath.mpf(0)] * n)
        else:
            rows.append([w * ((1 - eps) * (j == target) + eps / n) for j, w in enumerate(weights)])
            denominator += weights[target]
    return rows, denominator


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_coefficients_are_those_of_the_objective_in_words(objective: Objective) -> None:
    problem = posed(objective)
    with mpmath.workdps(60):
        rows, _ = in_words(problem)
        np.testing.assert_allclose(
            coefficients_of(problem), [[float(t) for t in row] for row in rows], rtol=ROUNDINGS, atol=0
        )


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_denominator_is_that_of_the_mean_and_else_one(objective: Objective) -> None:
    problem = posed(objective)
    with mpmath.workdps(60):
        expected = float(in_words(problem)[1]) if objective.reduction == "mean" else 1.0
    assert denominator_of(problem) == pytest.approx(expected, rel=ROUNDINGS, abs=0)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_loss_and_gradient_made_of_the_coefficients_are_the_exact_ones(objective: Objective) -> None:
    problem = posed(objective)
    t, denominator = coefficients_of(problem), denominator_of(problem)
    lse = np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))
    losses = (t * (lse - LOGITS)).sum(axis=1)
    gradient = (t.sum(axis=1, keepdims=True) * np.exp(LOGITS - lse) - t) / denominator
    truth = enclose(problem)
    loss = losses if objective.reduction == "none" else losses.sum() / denominator
    np.testing.assert_allclose(loss, truth.loss.nearest(), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(gradient, truth.gradient.nearest(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_unsmoothed_coefficients_are_those_without_smoothing(objective: Objective) -> None:
    plain = Objective(objective.reduction, objective.targets, 0.0, objective.class_weights, objective.ignore_index)
    np.testing.assert_array_equal(unsmoothed_coefficients_of(posed(objective)), coefficients_of(posed(plain)))


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_coefficients_are_float64_whatever_the_dtype_of_the_problem(dtype: str) -> None:
    for objective in (Objective(label_smoothing=0.1), Objective(targets="probability")):
        assert coefficients_of(posed(objective, dtype)).dtype == np.float64


def test_labels_of_another_class_are_not_ignored_by_default() -> None:
    assert coefficients_of(Problem(LOGITS, np.array([0, 0, 0, 2]))).sum() == 4


def test_empty_batch_has_no_coefficients_and_nothing_to_divide_by() -> None:
    empty = Problem(np.zeros((0, 3)), np.zeros(0, dtype=np.int64))
    assert coefficients_of(empty).shape == (0, 3)
    assert denominator_of(empty) == 0


@pytest.mark.parametrize("mean_over", MEANS)
def test_rows_that_count_alike_add_what_the_rule_says_of_each(mean_over: str) -> None:
    rule = numpy_forms.INDEX_DENOMINATORS[mean_over](LABELS, np.ones(3), np.ones(4), -1)
    np.testing.assert_array_equal(denominators_of(posed(Objective()), mean_over), rule)


def test_a_row_that_is_ignored_or_weighted_counts_by_itself() -> None:
    assert denominators_of(posed(Objective(ignore_index=2)), "number_of_rows").tolist() == [0, 1, 1, 0]
    assert denominators_of(posed(Objective(class_weights=WEIGHTS)), "sum_of_weights").tolist() == [2.5, 0.3, 0.0, 2.5]
