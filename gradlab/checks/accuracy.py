"""Accuracy: loss and every entry of the gradient against the enclosure, against the bound and in ULP.

On moderate logits these are the checks of accuracy, on the stress families those of stability; `domain` and `options`
hold the same comparison to problems of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradlab.bounds import derivative_bound, first_order, flushed_bound, loss_bound, probable
from gradlab.bounds.bound import Bound
from gradlab.checks.check import Findings, entry, returned_in, returned_values
from gradlab.evaluation.call import Answer, Implementation
from gradlab.oracle.enclosure import Enclosures, enclose
from gradlab.oracle.ulp import Errors, errors_of
from gradlab.problems.caching import remember
from gradlab.problems.coefficients import coefficients_of
from gradlab.problems.problem import Array, Problem
from gradlab.result import Comparison, expand, ratio_of


def values_within_bound(implementation: Implementation, problem: Problem) -> Findings:
    """Loss and gradient, or the derivative that is asked for, lie within the bound for this kind of problem."""
    return loss_is_right(implementation, problem) + derivative_within_bound(implementation, problem)


def answer_within_bound(given: Answer, implementation: Implementation, problem: Problem) -> Findings:
    """The same of an answer to a call of the caller's own. Raises NoAnswerError where it has no values."""
    loss, derivative = returned_in(given, problem)
    return [
        loss_against(loss, implementation, problem),
        derivative_against(derivative, implementation, problem, entry(problem)),
    ]


def derivative_within_bound(implementation: Implementation, problem: Problem) -> Findings:
    """Every entry of the derivative that is asked for lies within its bound."""
    return [derivative_within(implementation, problem, derivative_bound(problem))]


def derivative_within(implementation: Implementation, problem: Problem, bound: Bound) -> Comparison:
    """The derivative that a plain call returns, against the enclosure and this bound."""
    return _against(_derivative(implementation, problem), implementation, problem, bound)


def loss_within(implementation: Implementation, problem: Problem, bound: Bound) -> Comparison:
    """As `derivative_within`, of the loss."""
    return _loss_against(_loss(implementation, problem), implementation, problem, bound)


def derivative_against(seen: Array, implementation: Implementation, problem: Problem, quantity: str) -> Comparison:
    """A derivative that came back in another way than by a plain call, against the enclosure and its bound.

    quantity: what an entry is, as in `Comparison`.
    """
    shown = _seen_derivative(seen, problem, quantity)
    return _against(shown, implementation, problem, derivative_bound(problem))


def loss_against(seen: Array, implementation: Implementation, problem: Problem) -> Comparison:
    """As `derivative_against`, of a loss."""
    return _loss_against(_seen_loss(seen, problem), implementation, problem, loss_bound(problem))


def loss_is_right(implementation: Implementation, problem: Problem) -> Findings:
    """The loss lies within the bound of any correct form on moderate logits, of the shifted one elsewhere."""
    return [loss_within(implementation, problem, loss_bound(problem))]


def gradient_is_right(implementation: Implementation, problem: Problem) -> Findings:
    """Every entry of the gradient lies within the bound for this kind of problem."""
    return derivative_within_bound(implementation, problem)


def loss_within_forward_error(implementation: Implementation, problem: Problem) -> Findings:
    """The loss lies within the forward error of the standard shifted algorithm."""
    bound = first_order.reduced_loss(problem, first_order.forward_losses(problem))
    return [loss_within(implementation, problem, bound)]


def gradient_within_forward_error(implementation: Implementation, problem: Problem) -> Findings:
    """Every entry of the gradient lies within the forward error of the standard shifted algorithm."""
    return [derivative_within(implementation, problem, first_order.forward_gradient(problem))]


def loss_within_probable_error(implementation: Implementation, problem: Problem) -> Findings:
    """The loss is no further off than rounding errors that are random are likely to bring it."""
    return [loss_within(implementation, problem, probable.loss(problem))]


def gradient_within_probable_error(implementation: Implementation, problem: Problem) -> Findings:
    """No entry is further off than rounding errors that are random are likely to bring it."""
    return [derivative_within(implementation, problem, probable.gradient(problem))]


def loss_within_a_few_ulp(implementation: Implementation, problem: Problem) -> Findings:
    """The loss is right to the few ULP that the accurate algorithm promises."""
    allowed = first_order.accurate_loss_ulps(problem)
    return [_in_ulp(_loss(implementation, problem), implementation, problem, allowed)]


def target_entry_within_a_few_ulp(implementation: Implementation, problem: Problem) -> Findings:
    """The target's entry of the gradient, where p_y - 1 cancels, is right to a few ULP."""
    return _entries_in_ulp(implementation, problem, np.nonzero(coefficients_of(problem) > 0))


def other_entries_within_a_few_ulp(implementation: Implementation, problem: Problem) -> Findings:
    """Every entry of the gradient but the target's is right to a few ULP."""
    return _entries_in_ulp(implementation, problem, np.nonzero(coefficients_of(problem) == 0))


@dataclass(frozen=True, eq=False)
class _Seen:
    """What an implementation returned for one quantity, in its dtype, beside the enclosure of the exact value.

    Its distances from the truth are worked out once, though several checks divide them by their own bounds.
    """

    problem: Problem
    quantity: str
    observed: Array
    truth: Enclosures
    flushed: Callable[[Problem], Array | float] = first_order.flush_error

    @cached_property
    def errors(self) -> Errors:
        return errors_of(self.observed, self.truth, self.problem.format)

    def ulp(self, index: tuple[int, ...]) -> float:
        return float(self.errors.in_ulp[index])

    @cached_property
    def nearest(self) -> Array:
        return self.truth.nearest()


@remember(16)
def _loss(implementation: Implementation, problem: Problem) -> _Seen:
    return _seen_loss(returned_values(implementation, problem).loss, problem)


@remember(16)
def _derivative(implementation: Implementation, problem: Problem) -> _Seen:
    return _seen_derivative(returned_values(implementation, problem).derivative, problem, entry(problem))


def _seen_loss(loss: Array, problem: Problem) -> _Seen:
    return _Seen(problem, "loss" + "[{}]" * loss.ndim, loss, enclose(problem).loss)


def _seen_derivative(derivative: Array, problem: Problem, quantity: str) -> _Seen:
    return _Seen(problem, quantity, derivative, enclose(problem).derivative, flushed_bound)


def _loss_against(seen: _Seen, implementation: Implementation, problem: Problem, bound: Bound) -> Comparison:
    found = _against(seen, implementation, problem, bound)
    infinite = found.observed == np.inf
    if infinite.any() and first_order.sum_overflows(problem):
        return replace(found, ratio=np.where(infinite, 0.0, found.ratio))
    return found


def _against(seen: _Seen, implementation: Implementation, problem: Problem, bound: Bound) -> Comparison:
    tolerance, source = bound
    if implementation.claims.flushes_subnormals:
        tolerance, source = tolerance + seen.flushed(problem), f"{source}; subnormals flushed, as claimed"
    tolerance = expand(tolerance, seen.observed.shape)
    return _comparison(seen, tolerance, ratio_of(seen.errors.absolute, tolerance), source)


def _in_ulp(seen: _Seen, implementation: Implementation, problem: Problem, allowed: float) -> Comparison:
    ratio = seen.errors.in_ulp / allowed
    if implementation.claims.flushes_subnormals:
        small = seen.errors.absolute <= first_order.flush_error(problem)
        ratio = np.where(small, 0.0, ratio)
    source = f"{allowed:.4g} ULP: 6 beta + 3 of the accurate algorithm, and the reduction"
    return _comparison(seen, np.full(ratio.shape, np.nan), ratio, source)


def _comparison(seen: _Seen, tolerance: Array, ratio: Array, source: str) -> Comparison:
    expected = seen.truth.describe
    return Comparison(seen.quantity, seen.observed, seen.nearest, tolerance, ratio, source, expected, seen.ulp)


def _entries_in_ulp(implementation: Implementation, problem: Problem, entries: tuple[Any, ...]) -> Findings:
    allowed = first_order.accurate_ulps(problem)
    full = _in_ulp(_derivative(implementation, problem), implementation, problem, allowed)
    ratio = np.zeros(full.ratio.shape)
    ratio[entries] = full.ratio[entries]
    return [replace(full, ratio=ratio)]
