"""What an implementation that follows a rule answers: enclosed by the oracle, with the bounds of `tolerances`.

A loss that is linear in the coefficients t of its rows, whatever the rule for weights, smoothing and denominators, is
the sum over probabilities t as targets, for which the oracle has the answer. An implementation that follows the rule
may be off by the forward error of that sum, and by that of the objective it was asked for, which has the roundings of
weights, smoothing and division. Coefficients that are not numbers of the dtype cost a rounding: hence weights of 1, for
which `tolerances` allows 6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradlab.bounds import first_order, loss_bound
from gradlab.bounds.rounding_counts import gamma
from gradlab.campaigns.conformance.case import Asked, Seen
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.intervals import Enclosures, constant, fill, normalise
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.coefficients import coefficients_of, denominator_of, loss_factors
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from gradlab.result import ratio_of

NAN, INF = np.nan, np.inf


@dataclass(frozen=True, eq=False)
class Predicted:
    """Loss and gradient by a rule, enclosed, and how far off they may be; None for a part that is left open."""

    loss: Enclosures | None
    gradient: Enclosures | None
    loss_bound: Array
    gradient_bound: Array


Prediction = Callable[[Problem], Predicted]


def answers(predict: Prediction) -> Callable[[Asked, Sequence[Seen]], bool]:
    """Whether the plain call gives what a rule predicts for the problem."""
    return lambda asked, seen: agrees(seen[0], predict(asked.problem))


def weighing(coefficients: Callable[[Problem], Array]) -> Callable[[Asked, Sequence[Seen]], bool]:
    """As `answers`, for a rule that is `by_coefficients`."""
    return answers(by_coefficients(coefficients))


def agrees(seen: Seen, predicted: Predicted) -> bool:
    """Whether both values lie within the bounds, and have the shapes that they must have."""
    return _is_within(seen.loss, predicted.loss, predicted.loss_bound) and _is_within(
        seen.gradient, predicted.gradient, predicted.gradient_bound
    )


def definition(problem: Problem) -> Predicted:
    """By gradlab's own definition."""
    truth = enclose(problem)
    return Predicted(truth.loss, truth.gradient, loss_bound(problem)[0], first_order.gradient(problem)[0])


def by_objective(**changes: Any) -> Prediction:
    """By gradlab's definition of another objective; its bounds are added to those of the one that was asked for."""

    def predict(problem: Problem) -> Predicted:
        other = problem.replace(objective=replace(problem.objective, **changes))
        return _with_bounds_of(definition(other), problem)

    return predict


def by_coefficients(coefficients: Callable[[Problem], Array]) -> Prediction:
    """By coefficients t of the rows, shape (N, K), already over the denominator: sum_ij t_ij (lse_i - x_ij)."""
    return lambda problem: _with_bounds_of(definition(_linear(problem, coefficients(problem))), problem)


def by_row(loss: float, gradient: float | Sequence[float], denominator: float | None = None) -> Prediction:
    """The first row answered by a loss (0, inf or NaN) and a gradient of its own, the others as defined.

    Both count in the mean, over `denominator` where that is another than the objective's.
    """

    def predict(problem: Problem) -> Predicted:
        scale = denominator_of(problem) if denominator is None else denominator
        rest = coefficients_of(problem) * loss_factors(problem)[:, None] / scale
        rest[0] = 0.0
        sound = problem.logits.copy()
        sound[0] = 0
        others = by_coefficients(lambda _: rest)(problem.replace(logits=sound))
        row = np.broadcast_to(np.asarray(gradient, dtype=np.float64) / scale, rest[0].shape)
        return _with_row(others, loss, row, gamma(4.0, problem.format) * np.abs(np.nan_to_num(row)))

    return predict


def everywhere(loss: float | None, gradient: float | None) -> Prediction:
    """The same value, 0, inf or NaN, in every loss and in every entry of the gradient; None leaves a part open."""

    def predict(problem: Problem) -> Predicted:
        own = definition(problem)
        of_loss = None if loss is None or own.loss is None else constant(loss, own.loss.shape)
        of_gradient = None if gradient is None else constant(gradient, problem.logits.shape)
        return Predicted(of_loss, of_gradient, 0 * own.loss_bound, 0 * own.gradient_bound)

    return predict


def both(of_loss: Prediction, of_gradient: Prediction) -> Prediction:
    """The loss of one rule with the gradient of another."""

    def predict(problem: Problem) -> Predicted:
        first, second = of_loss(problem), of_gradient(problem)
        return Predicted(first.loss, second.gradient, first.loss_bound, second.gradient_bound)

    return predict


def squared_gradient(problem: Problem) -> Predicted:
    """The sum of the squares of the gradient's entries as loss.

    With entries off by b: sum (2 |g| b + b^2), and a rounding in each square, in each addition and two in float64 here.
    """
    own = definition(problem)
    g, b = np.abs(_there(own.gradient).nearest()), own.gradient_bound
    carried = gamma(problem.logits.size + 3.0, problem.format) * ((g + b) ** 2).sum()
    loss = exact((g**2).sum())
    return Predicted(loss, own.gradient, np.asarray((2 * g * b + b**2).sum() + carried), b)


def less_log_sum(coefficients: Callable[[Problem], Array]) -> Prediction:
    """p - t as gradient, whatever t sums to, with lse - sum t_j x_j, whose gradient it is, as loss.

    coefficients: t, shape (N, K), before the mean is taken. Where it does not sum to 1, the last class must have logit
    0 and t = 0: there the rest of 1 goes, which leaves the loss alone and lowers the gradient of that class by as much;
    that entry is p alone, and is taken from a row whose target is the first class.
    """

    def predict(problem: Problem) -> Predicted:
        t = coefficients(problem)
        completed, first = t.copy(), np.zeros_like(t)
        completed[:, -1], first[:, 0] = 1 - t[:, :-1].sum(axis=1), 1
        scale = denominator_of(problem)
        predicted = by_coefficients(lambda _: completed / scale)(problem)
        bare = by_coefficients(lambda _: first / scale)(problem)
        rows = np.flatnonzero(t[:, -1] == 0)
        gradient = _copy(_there(predicted.gradient))
        fill(gradient, (rows, -1), _there(bare.gradient)[rows, -1])
        return Predicted(predicted.loss, gradient, predicted.loss_bound, predicted.gradient_bound + bare.gradient_bound)

    return predict


def exact(values: Any) -> Enclosures:
    """The values themselves, in float64, as enclosures without a radius."""
    numbers = np.asarray(values, dtype=np.float64)
    zeros = np.zeros(numbers.shape)
    finite = np.where(np.isfinite(numbers), numbers, 0.0)
    found = normalise(finite, zeros, zeros.copy(), np.zeros(numbers.shape, dtype=np.int64))
    high = np.where(np.isfinite(numbers), found.high, numbers)
    return Enclosures(high, found.low, found.radius, np.where(np.isfinite(numbers), found.exponent, 0))


def _linear(problem: Problem, coefficients: Array) -> Problem:
    with np.errstate(under="ignore"):
        targets = coefficients.astype(problem.logits.dtype)
    reduction = "none" if problem.objective.reduction == "none" else "sum"
    weights = (1.0,) * problem.n_classes
    return problem.replace(targets=targets, objective=Objective(reduction, "probability", class_weights=weights))


def _with_bounds_of(predicted: Predicted, problem: Problem) -> Predicted:
    loss, gradient = loss_bound(problem)[0], first_order.gradient(problem)[0]
    return replace(
        predicted, loss_bound=predicted.loss_bound + loss, gradient_bound=predicted.gradient_bound + gradient
    )


def _with_row(others: Predicted, loss: float, row: Array, room: Array) -> Predicted:
    losses, gradient = _copy(_there(others.loss)), _copy(_there(others.gradient))
    if losses.shape:
        fill(losses, 0, loss)
    elif loss != 0:
        fill(losses, (), loss)
    fill(gradient, 0, exact(row))
    bound = others.gradient_bound.copy()
    bound[0] += room
    return Predicted(losses, gradient, others.loss_bound, bound)


def _there(part: Enclosures | None) -> Enclosures:
    if part is None:
        raise ValueError("a rule that leaves a part open cannot be built upon")
    return part


def _copy(one: Enclosures) -> Enclosures:
    return Enclosures(*(np.array(part) for part in (one.high, one.low, one.radius, one.exponent)))


def _is_within(values: Array | None, wanted: Enclosures | None, bound: Array) -> bool:
    if values is None:
        return False
    if wanted is None:
        return True
    if values.shape != wanted.shape:
        return False
    return bool((ratio_of(absolute_error(values, wanted), bound) <= 1).all())
