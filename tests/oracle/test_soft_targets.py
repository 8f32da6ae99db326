"""Coefficients as pairs are right to the bound that the gradient's proof takes for granted."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx

from gradlab.oracle.double_double import ADD_ERROR, MULTIPLY_BY_DOUBLE_ERROR
from gradlab.oracle.enclosure import enclose_by_double_double
from gradlab.oracle.fast.array_kernels import COEFFICIENT_ERROR
from gradlab.oracle.fast.soft_targets import ClassPairs, class_pairs, probability_rows, smoothed_labels
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

N_CLASSES = 40
DIVISOR = 7
WEIGHTS = tuple(np.random.default_rng(1).uniform(0.1, 3, N_CLASSES).tolist())
SMOOTHINGS = [0.0, 1e-12, 0.1, 0.999999, 1.0]


def exact_coefficient(share: Fraction, weight: float, smoothing: float) -> Fraction:
    epsilon = Fraction(smoothing)
    return Fraction(weight) * ((1 - epsilon) * share + epsilon / N_CLASSES) / DIVISOR


def pairs_of(problem: Problem) -> ClassPairs:
    found = class_pairs(problem, 1 / arb(DIVISOR))
    assert found is not None
    return found


def error_of(high: float, low: float, exact: Fraction) -> float:
    """The relative error of high + low; the pair must be 0 where the exact value is."""
    got = Fraction(high) + Fraction(low)
    return float(abs(got - exact) / exact) if exact else float(got != 0)


def worst_error(smoothing: float) -> float:
    rng = np.random.default_rng(2)
    targets = rng.dirichlet(np.full(N_CLASSES, 0.1), 30)
    targets[targets < 1e-30] = 0.0
    objective = Objective(targets="probability", label_smoothing=smoothing, class_weights=WEIGHTS)
    problem = Problem(np.zeros(targets.shape), targets, objective)
    with ctx.workprec(320):
        rows = probability_rows(problem.logits64, targets, pairs_of(problem))
    return max(
        error_of(
            float(rows.high[place]),
            float(rows.low[place]),
            exact_coefficient(Fraction(share), WEIGHTS[place[1]], smoothing),
        )
        for place, share in np.ndenumerate(targets)
    )


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_coefficients_of_probabilities_keep_their_bound(smoothing: float) -> None:
    assert worst_error(smoothing) <= COEFFICIENT_ERROR


def test_the_bound_is_within_a_factor_16_of_what_happens() -> None:
    assert max(worst_error(smoothing) for smoothing in SMOOTHINGS) >= COEFFICIENT_ERROR / 16


def test_the_bound_has_room_for_every_step_that_leads_to_a_coefficient() -> None:
    steps = 2.0**-105 + MULTIPLY_BY_DOUBLE_ERROR + ADD_ERROR
    assert steps < COEFFICIENT_ERROR < 2 * steps


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_coefficients_of_labels_keep_their_bound(smoothing: float) -> None:
    labels = np.arange(N_CLASSES)
    problem = Problem(
        np.zeros((N_CLASSES, N_CLASSES)), labels, Objective(label_smoothing=smoothing, class_weights=WEIGHTS)
    )
    with ctx.workprec(320):
        rows = smoothed_labels(problem.logits64, labels, pairs_of(problem))
    for (row, j), high in np.ndenumerate(rows.high):
        exact = exact_coefficient(Fraction(int(row == j)), WEIGHTS[j], smoothing)
        assert error_of(float(high), float(rows.low[row, j]), exact) <= COEFFICIENT_ERROR


def test_a_constant_that_float64_takes_for_0_is_not_taken_for_0() -> None:
    def pairs(smoothing: float) -> ClassPairs | None:
        problem = Problem(np.zeros((1, N_CLASSES)), np.array([0]), Objective(label_smoothing=smoothing))
        with ctx.workprec(320):
            return class_pairs(problem, 1 / arb(DIVISOR))

    assert pairs(5e-324) is None
    assert pairs(2.0**-250) is not None
    assert pairs(1.0) is not None


def test_the_double_double_path_encloses_what_a_subnormal_smoothing_leaves() -> None:
    logits = np.array([[0.0, -4000.0, -4000.0, -4000.0]])
    truth = enclose_by_double_double(Problem(logits, np.array([0]), Objective(label_smoothing=5e-324)))
    expected = -Fraction(5e-324) / 4  # exp(-4000) is far smaller
    for j in (1, 2, 3):
        high, radius = Fraction(float(truth.gradient.high[0, j])), Fraction(float(truth.gradient.radius[0, j]))
        scale = Fraction(2) ** int(truth.gradient.exponent[0, j])
        assert abs(high * scale - expected) <= (radius + Fraction(2.0**-53)) * scale
