"""Domain: what -inf, NaN, +inf and a single class mean. Each value is held to the enclosure and its bound."""

from __future__ import annotations

import numpy as np

from gradlab.checks.accuracy import values_within_bound
from gradlab.checks.check import Findings, entry, solved
from gradlab.evaluation.call import Implementation
from gradlab.problems.problem import Problem
from gradlab.result import Fact


def one_class_costs_nothing(implementation: Implementation, problem: Problem) -> Findings:
    """With a single class loss and gradient are 0."""
    return values_within_bound(implementation, problem)


def masked_class_has_probability_zero(implementation: Implementation, problem: Problem) -> Findings:
    """-inf at a class that is not the target changes nothing for the others; at the target the loss is +inf."""
    return values_within_bound(implementation, problem)


def rows_without_value_are_nan(implementation: Implementation, problem: Problem) -> Findings:
    """A row with NaN, +inf or only -inf has loss and gradient NaN, and every other row its own."""
    _, derivative = solved(implementation, problem)
    lost = ~problem.rows_with_value & ~problem.ignored_rows
    wrong = np.argwhere(~np.isnan(derivative[lost]))
    name = problem.objective.derivative
    at = entry(problem).format(np.flatnonzero(lost)[wrong[0][0]], *wrong[0][1:]) if wrong.size else name
    seen = str(derivative[lost][tuple(wrong[0])]) if wrong.size else "nan"
    return [Fact(at, f"is {seen}", "nan", not wrong.size), *values_within_bound(implementation, problem)]
