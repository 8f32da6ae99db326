"""Accuracy: loss and every entry of the gradient against the enclosure, against the bound and in ULP.

The same checks, on the problems of the stress families, are the checks of stability; on problems with -inf, NaN or
+inf they are the checks of the domain; on problems with an option switched on, the checks of that option.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab import tolerances
from gradlab.checks.check import Findings, solved
from gradlab.evaluation import Implementation
from gradlab.oracle.enclosure import Enclosures, Truth, enclose
from gradlab.oracle.ulp import absolute_error, error_in_ulp
from gradlab.problems.problem import Array, Problem
from gradlab.result import Comparison, Fact, ratio_of

Bound = tuple[Array, str]


def values_within_bound(implementation: Implementation, problem: Problem) -> Findings:
    """Loss and gradient lie within the bound for this kind of problem."""
    return loss_within_bound(implementation, problem) + gradient_within_bound(implementation, problem)


def loss_within_bound(implementation: Implementation, problem: Problem) -> Findings:
    """The loss lies within the bound: any correct form's on moderate logits, the shifted algorithm's elsewhere."""
    return [_loss_against(implementation, problem, tolerances.loss(problem))]


def gradient_within_bound(implementation: Implementation, problem: Problem) -> Findings:
    """Every entry of the gradient lies within the bound for this kind of problem."""
    return [_gradient_against(implementation, problem, tolerances.gradient(problem))]


def loss_within_forward_error(implementation: Implementation, problem: Problem) -> Findings:
    """The loss lies within the forward error of the standard shifted algorithm."""
    rows = tolerances.forward_losses(problem)
    return [_loss_against(implementation, problem, tolerances.reduced_loss(problem, rows))]


def gradient_within_forward_error(implementation: Implementation, problem: Problem) -> Findings:
    """Every entry of the gradient lies within the forward error of the standard shifted algorithm."""
    return [_gradient_against(implementation, problem, tolerances.forward_gradient(problem))]


def loss_within_a_few_ulp(implementation: Implementation, problem: Problem) -> Findings:
    """The loss is right to the few ULP that the accurate algorithm promises."""
    loss, _ = solved(implementation, problem)
    return [_in_ulp(("loss" + "[{}]" * loss.ndim, loss), _truth(problem).loss, implementation, problem)]


def target_entry_within_a_few_ulp(implementation: Implementation, problem: Problem) -> Findings:
    """The target's entry of the gradient, where p_y - 1 cancels, is right to a few ULP."""
    rows = np.flatnonzero(~problem.ignored_rows)
    return _entries_in_ulp(implementation, problem, (rows, problem.targets[rows]))


def other_entries_within_a_few_ulp(implementation: Implementation, problem: Problem) -> Findings:
    """Every entry of the gradient but the target's is right to a few ULP."""
    others = np.ones(problem.logits.shape, dtype=bool)
    rows = np.flatnonzero(~problem.ignored_rows)
    others[rows, problem.targets[rows]] = False
    return _entries_in_ulp(implementation, problem, np.nonzero(others))


def rows_without_value_are_nan(implementation: Implementation, problem: Problem) -> Findings:
    """A row with NaN, +inf or only -inf has a gradient of NaN, and every other row its own."""
    _, gradient = solved(implementation, problem)
    lost = ~problem.rows_with_value & ~problem.ignored_rows
    wrong = np.argwhere(~np.isnan(gradient[lost]))
    at = f"gradient[{np.flatnonzero(lost)[wrong[0][0]]}, {wrong[0][1]}]" if wrong.size else "gradient"
    seen = str(gradient[lost][tuple(wrong[0])]) if wrong.size else "nan"
    return [Fact(at, seen, "nan", not wrong.size), *gradient_within_bound(implementation, problem)]


def _truth(problem: Problem) -> Truth:
    return enclose(problem)


def _loss_against(implementation: Implementation, problem: Problem, bound: Bound) -> Comparison:
    loss, _ = solved(implementation, problem)
    return _against(("loss" + "[{}]" * loss.ndim, loss), _truth(problem).loss, problem, _allowed(implementation, bound, problem))


def _gradient_against(implementation: Implementation, problem: Problem, bound: Bound) -> Comparison:
    _, gradient = solved(implementation, problem)
    allowed = _allowed(implementation, bound, problem)
    return _against(("gradient[{}, {}]", gradient), _truth(problem).gradient, problem, allowed)


def _allowed(implementation: Implementation, bound: Bound, problem: Problem) -> Bound:
    if not implementation.claims.flushes_subnormals:
        return bound
    return bound[0] + tolerances.flushed(problem), f"{bound[1]}, subnormals flushed as claimed"


def _against(seen: tuple[str, Array], truth: Enclosures, problem: Problem, bound: Bound) -> Comparison:
    quantity, observed = seen
    ratio = ratio_of(absolute_error(observed, truth), np.broadcast_to(bound[0], observed.shape))
    ulp = error_in_ulp(observed, truth, problem.format)
    tolerance = np.broadcast_to(bound[0], observed.shape)
    return Comparison(quantity, observed, truth.nearest(), tolerance, ratio, bound[1], truth.describe, ulp)


def _in_ulp(seen: tuple[str, Array], truth: Enclosures, implementation: Implementation, problem: Problem) -> Comparison:
    quantity, observed = seen
    allowed = tolerances.accurate_loss_ulps(problem) if quantity.startswith("loss") else tolerances.accurate_ulps(problem)
    ulp = error_in_ulp(observed, truth, problem.format)
    ratio = ulp / allowed
    if implementation.claims.flushes_subnormals:
        ratio = np.where(absolute_error(observed, truth) <= tolerances.flushed(problem), 0.0, ratio)
    source = f"{allowed:.4g} ULP: 6 beta + 3 of the accurate algorithm and its reduction"
    return Comparison(quantity, observed, truth.nearest(), np.full(ulp.shape, np.nan), ratio, source, truth.describe, ulp)


def _entries_in_ulp(implementation: Implementation, problem: Problem, where: tuple[Any, Any]) -> Findings:
    _, gradient = solved(implementation, problem)
    full = _in_ulp(("gradient[{}, {}]", gradient), _truth(problem).gradient, implementation, problem)
    ratio = np.zeros(gradient.shape)
    ratio[where] = full.ratio[where]
    return [Comparison(full.quantity, full.observed, full.expected, full.tolerance, ratio, full.source, full.expected_text, full.ulp)]


Function = Callable[[Implementation, Problem], Findings]
