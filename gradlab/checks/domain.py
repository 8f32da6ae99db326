"""Domain: what -inf, NaN, +inf and a single class mean. Each value is held to the enclosure and its bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradlab.checks.accuracy import values_within_bound
from gradlab.checks.check import Findings, entry, solve
from gradlab.evaluation.call import Implementation
from gradlab.problems.coefficients import coefficients_of
from gradlab.problems.problem import Array, Problem
from gradlab.result import Comparison, Fact


def one_class_costs_nothing(implementation: Implementation, problem: Problem) -> Findings:
    """With a single class loss and gradient are 0."""
    return values_within_bound(implementation, problem)


def masked_class_has_probability_zero(implementation: Implementation, problem: Problem) -> Findings:
    """-inf at a class that is not the target changes nothing for the others; at the target the loss is +inf."""
    return values_within_bound(implementation, problem)


def rows_without_value_are_not_hidden(implementation: Implementation, problem: Problem) -> Findings:
    """A row with NaN, +inf or only -inf shows: its loss is not finite, nor is some entry of its gradient.

    Every other row has its own values. A row whose targets are all 0 may be left out of the sum, and shows nothing.
    """
    loss, derivative = solve(implementation, problem)
    lost = _lost(problem)
    counted = lost & (coefficients_of(problem) > 0).any(axis=1)
    found = list(values_within_bound(implementation, problem))
    return [
        *(_shown(problem, int(row), derivative[row]) for row in np.flatnonzero(counted)),
        *(_losses_shown(loss, counted) if counted.any() else ()),
        *(_without_the_lost(comparison, lost) for comparison in found if isinstance(comparison, Comparison)),
    ]


def rows_without_value_are_nan(implementation: Implementation, problem: Problem) -> Findings:
    """A row with NaN, +inf or only -inf has NaN as its loss and in every entry of its gradient."""
    _, derivative = solve(implementation, problem)
    lost = _lost(problem)
    wrong = np.argwhere(~np.isnan(derivative[lost]))
    name = problem.objective.derivative
    at = entry(problem).format(np.flatnonzero(lost)[wrong[0][0]], *wrong[0][1:]) if wrong.size else name
    seen = str(derivative[lost][tuple(wrong[0])]) if wrong.size else "nan"
    return [Fact(at, f"is {seen}", "nan", not wrong.size), *values_within_bound(implementation, problem)]


def _lost(problem: Problem) -> Array:
    """Which rows have no value and are not ignored, shape (n_rows,)."""
    return np.asarray(~problem.rows_with_value & ~problem.ignored_rows)


def _shown(problem: Problem, row: int, values: Array) -> Fact:
    name = f"{problem.objective.derivative}[{row}]"
    return Fact(name, "is finite in every entry", "not finite in some entry", not np.isfinite(values).all())


def _losses_shown(loss: Array, lost: Array) -> Findings:
    """Facts on the losses that a lost row goes into: its own, or that of the batch."""
    if loss.ndim == 0:
        return [Fact("loss", f"is {float(loss):.9g}", "not finite", not np.isfinite(loss))]
    rows = np.flatnonzero(lost)
    return [Fact(f"loss[{i}]", f"is {loss[i]:.9g}", "not finite", not np.isfinite(loss[i])) for i in rows]


def _without_the_lost(found: Comparison, lost: Array) -> Comparison:
    """The comparison with nothing held against rows without a value, nor against the loss of a batch with one."""
    if found.ratio.ndim == 0:
        return replace(found, ratio=np.zeros(()))
    return replace(found, ratio=np.where(lost.reshape(-1, *[1] * (found.ratio.ndim - 1)), 0.0, found.ratio))
