"""The options' generated code: coefficients, denominators and reductions, in NumPy and in balls."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from gradlab.bounds import first_order, loss_bound
from gradlab.problems.coefficients import coefficients_of, denominator_of
from gradlab.problems.objective import Objective
from gradlab.problems.options import MEANS
from gradlab.problems.problem import Array, Problem
from gradlab.reference import ball_forms, numpy_forms
from tests.reference.numpy_routines import FORMS

K, N = 4, 6
WEIGHTS = (1.0, 0.0, 2.5, 0.75)
SAMPLE_WEIGHTS = (0.5, 2.0, 0.0, 3.0, 1.0, 0.25)
NO_LABEL = -1

OBJECTIVES = {
    "plain": Objective(),
    "smoothing": Objective(label_smoothing=0.1),
    "weights": Objective(class_weights=WEIGHTS),
    "weights and smoothing": Objective(label_smoothing=0.3, class_weights=WEIGHTS),
    "a label ignored": Objective(ignore_index=2),
    "a label outside ignored": Objective(ignore_index=-100, label_smoothing=0.2),
    "everything": Objective(label_smoothing=0.1, class_weights=WEIGHTS, ignore_index=2),
    "probabilities": Objective(targets="probability"),
    "probabilities, weights and smoothing": Objective(
        targets="probability", label_smoothing=0.1, class_weights=WEIGHTS
    ),
    **{
        f"sample weights, {rule}": Objective(
            sample_weights=SAMPLE_WEIGHTS, class_weights=WEIGHTS, ignore_index=2, mean_over=rule
        )
        for rule in MEANS
    },
    **{
        f"probabilities with sample weights, {rule}": Objective(
            targets="probability", sample_weights=SAMPLE_WEIGHTS, mean_over=rule
        )
        for rule in MEANS
    },
}


def problem_of(name: str, reduction: str = "mean") -> Problem:
    generator = np.random.default_rng(4)
    objective = OBJECTIVES[name]
    logits = generator.uniform(-3, 3, size=(N, K))
    labels = np.array([0, 2, 3, 1, 2, 0])
    if objective.ignore_index is not None:
        labels[1] = objective.ignore_index
    targets = labels if objective.targets == "index" else generator.uniform(size=(N, K))
    changed = replace(objective, reduction=reduction)
    return Problem(logits, targets, changed)


def sample_weights_of(problem: Problem) -> Array:
    return np.array(problem.objective.sample_weights or (1.0,) * N)


def generated(problem: Problem) -> tuple[Array, Array]:
    """Coefficients (N, K) and denominators (N,) by the generated NumPy."""
    objective = problem.objective
    weights = np.array(objective.class_weights or (1.0,) * K)
    if objective.targets == "probability":
        coefficients = numpy_forms.coefficients_probability(problem.targets, objective.label_smoothing, weights)
        return coefficients, numpy_forms.PROBABILITY_DENOMINATORS[objective.mean_over](
            np.array(objective.sample_weights or (1.0,) * N)
        )
    ignored = NO_LABEL if objective.ignore_index is None else objective.ignore_index
    coefficients = numpy_forms.coefficients_index(problem.targets, K, objective.label_smoothing, weights)
    kept = numpy_forms.kept(problem.targets, ignored)
    own = (problem.targets, weights, sample_weights_of(problem), ignored)
    return coefficients * kept, numpy_forms.INDEX_DENOMINATORS[objective.mean_over](*own)


def exact_coefficient(problem: Problem, row: int, column: int) -> Fraction:
    """t by the formula of the documentation, in exact fractions."""
    objective = problem.objective
    target = problem.targets[row]
    if objective.ignore_index is not None and target == objective.ignore_index:
        return Fraction(0)
    share = Fraction(float(target[column])) if objective.targets == "probability" else Fraction(int(target == column))
    weight = Fraction((objective.class_weights or (1.0,) * K)[column])
    smoothing = Fraction(objective.label_smoothing)
    return weight * ((1 - smoothing) * share + smoothing / K)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_coefficients_in_numpy_are_right_to_five_roundings(name: str) -> None:
    """1 - eps, its product, eps/K, the sum of what is not negative, and the weight: (1 + u)^5 in all."""
    problem = problem_of(name)
    coefficients, _ = generated(problem)
    for row, column in np.ndindex(N, K):
        exact = exact_coefficient(problem, row, column)
        assert abs(Fraction(float(coefficients[row, column])) - exact) <= exact * Fraction(6, 2**53)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_coefficients_in_balls_enclose_the_exact_ones(name: str) -> None:
    problem = problem_of(name)
    objective = problem.objective
    weights = [arb(weight) for weight in objective.class_weights or (1.0,) * K]
    smoothing = arb(objective.label_smoothing)
    for row in range(N):
        if objective.targets == "probability":
            shares = [arb(float(share)) for share in problem.targets[row]]
            balls = ball_forms.coefficients_probability(shares, smoothing, weights)
        else:
            label = int(problem.targets[row])
            kept = label != objective.ignore_index
            balls = [kept * ball for ball in ball_forms.coefficients_index(label, K, smoothing, weights)]
        for column, ball in enumerate(balls):
            exact = exact_coefficient(problem, row, column)
            assert ball.overlaps(arb(exact.numerator) / exact.denominator)
            assert ball.rad() <= 2.0**-45


@pytest.mark.parametrize("name", OBJECTIVES)
def test_what_the_checks_use_is_what_is_generated(name: str) -> None:
    """Both are right to five roundings, so they differ by at most twice that."""
    problem = problem_of(name)
    coefficients, denominators = generated(problem)
    np.testing.assert_allclose(coefficients_of(problem), coefficients, rtol=12 * 2.0**-53, atol=0)
    np.testing.assert_allclose(denominator_of(problem), denominators.sum(), rtol=2 * N * 2.0**-53, atol=0)


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if OBJECTIVES[name].targets == "index"])
def test_the_denominators_in_balls_are_those_in_numpy(name: str) -> None:
    problem = problem_of(name)
    weights = [arb(weight) for weight in problem.objective.class_weights or (1.0,) * K]
    ignored = NO_LABEL if problem.objective.ignore_index is None else problem.objective.ignore_index
    own = zip(problem.targets, problem.objective.sample_weights or (1.0,) * N, strict=True)
    rule = ball_forms.INDEX_DENOMINATORS[problem.objective.mean_over]
    balls = [rule(int(label), weights, arb(weight), ignored) for label, weight in own]
    assert [float(ball) for ball in balls] == generated(problem)[1].tolist()


def loss_by_mpmath(problem: Problem, logits: list[list[mpmath.mpf]]) -> mpmath.mpf:
    """The reduced loss from the documentation's formulas; only for mean and sum."""
    losses, weights = [], []
    objective = problem.objective
    for row in range(N):
        log_total = mpmath.log(mpmath.fsum(mpmath.exp(x) for x in logits[row]))
        t = [exact_coefficient(problem, row, column) for column in range(K)]
        terms = [mpmath.mpf(t[c].numerator) / t[c].denominator * (log_total - logits[row][c]) for c in range(K)]
        sample = float(sample_weights_of(problem)[row])
        losses.append(sample * mpmath.fsum(terms))
        label = problem.targets[row]
        index = objective.targets == "index"
        ignored = index and label == objective.ignore_index
        by_rule = {
            "sum_of_weights": sample
            * ((objective.class_weights or (1.0,) * K)[label] if index and not ignored else 1.0),
            "number_of_rows": 1.0,
            "all_rows": 1.0,
        }
        counts = not ignored or objective.mean_over == "all_rows"
        weights.append(by_rule[objective.mean_over] if counts else 0.0)
    total = mpmath.fsum(losses)
    return total / mpmath.fsum(weights) if objective.reduction == "mean" else total


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_whole_objective_s_gradient_is_the_derivative_of_its_loss(name: str, reduction: str) -> None:
    """Against central differences at 80 digits with a step of 1e-20, whose own error is below 1e-38."""
    problem = problem_of(name, reduction)
    coefficients, denominators = generated(problem)
    losses, rows = FORMS["shifted"](problem.logits, coefficients)
    of_loss, of_gradient = numpy_forms.ROW_FACTORS["sample_weights"](
        np.array(problem.objective.sample_weights or (1.0,) * N)
    )
    losses, rows = of_loss * losses, of_gradient[:, None] * rows
    reduced, part = ball_forms.REDUCTIONS[reduction](
        [arb(float(one)) for one in losses], [arb(float(one)) for one in denominators]
    )
    loss, share = float(reduced), float(part)
    bound, allowed = first_order.gradient(problem)[0], loss_bound(problem)[0]
    with mpmath.workdps(80):
        step = mpmath.mpf(10) ** -20
        start = [[mpmath.mpf(value) for value in row] for row in problem.logits.tolist()]
        assert abs(loss - loss_by_mpmath(problem, start)) <= allowed
        for row, column in np.ndindex(N, K):
            ends = []
            for sign in (1, -1):
                moved = [list(values) for values in start]
                moved[row][column] += sign * step
                ends.append(loss_by_mpmath(problem, moved))
            slope = (ends[0] - ends[1]) / (2 * step)
            assert abs(float(share * rows[row, column]) - slope) <= bound[row, column]


def test_without_a_reduction_the_losses_are_returned_as_they_are() -> None:
    losses = [arb(1), arb(2)]
    reduced, share = ball_forms.REDUCTIONS["none"](losses, [arb(1)] * 2)
    assert (reduced is losses, share) == (True, 1)


@pytest.mark.parametrize(("reduction", "expected", "share"), [("sum", 7.5, 1.0), ("mean", 7.5 / 4, 1 / 4)])
def test_the_balls_reduce_as_is_defined(reduction: str, expected: float, share: float) -> None:
    losses, denominators = [1.0, 2.5, 4.0], [1.0, 0.0, 3.0]
    reduced, part = ball_forms.REDUCTIONS[reduction](list(map(arb, losses)), list(map(arb, denominators)))
    assert (float(reduced), float(part)) == (expected, share)


def test_smoothing_by_nothing_is_exact_in_balls() -> None:
    with ctx.workprec(53):
        balls = ball_forms.coefficients_index(1, 3, arb(0), [arb(2.5)] * 3)
    assert [ball.is_exact() for ball in balls] == [True, True, True]
    assert [float(ball) for ball in balls] == [0.0, 2.5, 0.0]
