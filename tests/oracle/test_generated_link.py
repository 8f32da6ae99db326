"""The oracle divides and reduces by the generated code alone: a change of that code changes the enclosures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb

from gradlab.oracle.enclosure import Truth, enclose_by_balls, enclose_by_double_double
from gradlab.oracle.exact.balls import RowAnswers
from gradlab.oracle.exact.canonical import row_kinds
from gradlab.oracle.exact.repeated import MIN_CLASSES, answer_merged, merge_rows
from gradlab.oracle.intervals import Array, Enclosures
from gradlab.problems.objective import Objective
from gradlab.problems.options import MEANS
from gradlab.problems.problem import Problem
from gradlab.reference import ball_forms

LABELS, SAMPLE_WEIGHTS, CLASS_WEIGHTS = np.array([0, 2, 1]), (0.5, 2.0, 1.0), (1.0, 0.25, 4.0)
TABLES: dict[str, dict[str, Callable[..., arb]]] = {
    "index": ball_forms.INDEX_DENOMINATORS,
    "probability": ball_forms.PROBABILITY_DENOMINATORS,
}
PATHS: dict[str, Callable[[Problem], Truth]] = {"balls": enclose_by_balls, "double-double": enclose_by_double_double}


def problem_with(**options: Any) -> Problem:
    objective = Objective(**options)
    logits = np.random.default_rng(8).normal(size=(3, 3))
    targets = LABELS if objective.targets == "index" else np.exp2(logits)
    return Problem(logits, targets, objective)


def midpoints(found: Enclosures) -> Array:
    return np.asarray(np.ldexp(found.high, found.exponent))


def doubled_rule(rule: Callable[..., arb]) -> Callable[..., arb]:
    def doubled(*arguments: Any) -> arb:
        return 2 * rule(*arguments)

    return doubled


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("weights", [None, SAMPLE_WEIGHTS])
@pytest.mark.parametrize("targets", TABLES)
@pytest.mark.parametrize("rule", MEANS)
def test_a_generated_denominator_twice_as_large_halves_loss_and_gradient(
    monkeypatch: pytest.MonkeyPatch, rule: str, targets: str, weights: tuple[float, ...] | None, path: str
) -> None:
    problem = problem_with(targets=targets, mean_over=rule, sample_weights=weights, class_weights=CLASS_WEIGHTS)
    before = PATHS[path](problem)
    monkeypatch.setitem(TABLES[targets], rule, doubled_rule(TABLES[targets][rule]))
    after = PATHS[path](problem)
    np.testing.assert_array_equal(midpoints(after.loss), midpoints(before.loss) / 2)
    np.testing.assert_array_equal(midpoints(after.gradient), midpoints(before.gradient) / 2)


@pytest.mark.parametrize("path", PATHS)
def test_a_denominator_that_forgets_one_class_changes_the_mean(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    problem = problem_with(class_weights=CLASS_WEIGHTS)
    rule = ball_forms.index_sum_of_weights

    def without_class_2(label: int, *arguments: Any) -> arb:
        return arb(0) if label == 2 else rule(label, *arguments)

    before = PATHS[path](problem)
    monkeypatch.setitem(ball_forms.INDEX_DENOMINATORS, "sum_of_weights", without_class_2)
    after = PATHS[path](problem)
    np.testing.assert_allclose(midpoints(after.loss), midpoints(before.loss) * 5.25 / 1.25, rtol=1e-12)
    np.testing.assert_allclose(midpoints(after.gradient), midpoints(before.gradient) * 5.25 / 1.25, rtol=1e-12)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_generated_reduction_to_twice_as_much_doubles_loss_and_gradient(
    monkeypatch: pytest.MonkeyPatch, reduction: str, path: str
) -> None:
    problem, reduce = problem_with(reduction=reduction), ball_forms.REDUCTIONS[reduction]
    before = PATHS[path](problem)

    def doubled(losses: list[arb], denominators: list[arb]) -> tuple[arb, arb]:
        loss, share = reduce(losses, denominators)
        return 2 * loss, arb(2 * share)

    monkeypatch.setitem(ball_forms.REDUCTIONS, reduction, doubled)
    after = PATHS[path](problem)
    np.testing.assert_array_equal(midpoints(after.loss), 2 * midpoints(before.loss))
    np.testing.assert_array_equal(midpoints(after.gradient), 2 * midpoints(before.gradient))


@pytest.mark.parametrize("derivative", ["hessian", "hessian_diagonal", "target_gradient"])
def test_other_derivatives_are_divided_by_the_generated_denominator_too(
    monkeypatch: pytest.MonkeyPatch, derivative: str
) -> None:
    targets = "probability" if derivative == "target_gradient" else "index"
    problem = problem_with(derivative=derivative, targets=targets)
    before = enclose_by_balls(problem).derivative
    table = TABLES[targets]
    monkeypatch.setitem(table, "sum_of_weights", doubled_rule(table["sum_of_weights"]))
    after = enclose_by_balls(problem).derivative
    np.testing.assert_array_equal(midpoints(after), midpoints(before) / 2)


def test_rows_of_equal_logits_are_divided_by_the_generated_denominator_too(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(np.zeros((2, MIN_CLASSES)), np.array([0, 1]))
    before = merged_answers(problem)
    monkeypatch.setitem(
        ball_forms.INDEX_DENOMINATORS, "sum_of_weights", doubled_rule(ball_forms.INDEX_DENOMINATORS["sum_of_weights"])
    )
    after = merged_answers(problem)
    np.testing.assert_array_equal(midpoints(after.gradient), midpoints(before.gradient) / 2)


def merged_answers(problem: Problem) -> RowAnswers:
    merged = merge_rows(problem, row_kinds(problem).regular)
    assert merged is not None
    return answer_merged(problem, merged)
