"""Central differences of an implementation's own loss, judged with a derived step and tolerance.

Only on moderate logits: there the error of every correct loss has a known bound, so that a disagreement is an error
of mathematics. All logits are first rounded to a grid on which x + h and x - h are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.calculus import best_step, central_difference, error_missed
from gradlab.bounds.conditioning import conditioning
from gradlab.checks.check import Findings, NoAnswerError, solve, values_of
from gradlab.checks.flushing import flushed
from gradlab.evaluation.call import Implementation, asked_together, call_for, evaluate, perform
from gradlab.evaluation.foreign import describe_error
from gradlab.problems.coefficients import denominator_of, loss_factors
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from gradlab.result import asking, within

SMALL = 64  # entries up to which every coordinate of a batch's loss is perturbed on its own
DIRECTIONS = 8  # Gaussian directions on larger problems
MISSED = 0.001  # the probability for which it is stated how large an error may be missed
STACK_BYTES = 512 * 1024  # copies of the batch go into one call up to this size, half of a second-level cache


def gradient_is_the_derivative_of_its_own_loss(implementation: Implementation, problem: Problem) -> Findings:
    """Central differences of the implementation's own loss give its gradient.

    Where the rows' own losses can be had, all rows are perturbed at once: 2 K + 1 evaluations, stacked into fewer
    calls. Else every coordinate on problems of up to SMALL entries, and DIRECTIONS Gaussian directions on larger
    ones, drawn for every row, so that nothing cancels.
    """
    if "none" in implementation.claims.reduction:
        return along_classes(implementation, problem)
    if problem.logits.size <= SMALL:
        return along_coordinates(implementation, problem)
    return along_directions(implementation, problem)


def along_classes(implementation: Implementation, problem: Problem) -> Findings:
    """Central differences along every class, all rows at once, of the rows' own losses (reduction none).

    The gradient of a row is that times its upstream gradient.
    """
    exact = _on_grid(problem, 1.0, replace(problem.objective, reduction="none"))
    coefficient_sum = _coefficient_sum(exact)
    upstream = np.asarray(exact.objective.upstream or np.ones(exact.n_rows))[:, None]
    step = _step(exact, float(first_order.any_form_losses(exact).error.max()), float(coefficient_sum.max()), 1.0)
    more = flushed(implementation, exact)
    error = first_order.any_form_losses(exact, step)[0] + more
    _, gradient = solve(implementation, exact)
    slopes = _slopes_along_classes(implementation, exact, step)
    limit, source = central_difference(error[:, None], coefficient_sum[:, None], step)
    bound = np.abs(upstream) * limit + first_order.any_form_gradient(exact)[0] + more
    return asking(exact, [within("gradient[{}, {}]", gradient, upstream * slopes, bound, f"{source}, h = {step:g}")])


def along_coordinates(implementation: Implementation, problem: Problem) -> Findings:
    """Central differences of the batch's loss along every coordinate, 2 N K evaluations."""
    exact = _on_grid(problem, 1.0, problem.objective)
    coefficient_sum = _coefficient_sum(exact)
    step = _step(exact, _batch_error(exact), float(coefficient_sum.max()), 1.0)
    more = flushed(implementation, exact)
    error = _batch_error(exact, step) + more
    _, gradient = solve(implementation, exact)
    moves = step * np.eye(gradient.size).reshape(gradient.size, *gradient.shape)
    slopes = (_rises(implementation, exact, moves) / step).reshape(gradient.shape)
    limit, source = central_difference(error, coefficient_sum[:, None], step)
    bound = limit + first_order.any_form_gradient(exact)[0] + more
    return asking(exact, [within("gradient[{}, {}]", gradient, slopes, bound, f"{source}, h = {step:g}")])


def along_directions(implementation: Implementation, problem: Problem) -> Findings:
    """Central differences of the batch's loss along DIRECTIONS Gaussian directions, 2 evaluations each.

    The source of the bound states the relative error of the gradient, in the Frobenius norm, that is missed by all
    directions with a probability of MISSED.
    """
    generator = np.random.default_rng(int(problem.digest, 16))
    drawn = generator.standard_normal((DIRECTIONS, *problem.logits.shape))
    reach = float(np.abs(drawn).max())
    exact = _on_grid(problem, reach, problem.objective)
    step = _step(exact, _batch_error(exact), float(_curvatures(exact, drawn).max()), reach)
    grid = _spacing(exact, reach)
    moves = np.rint(drawn * step / grid) * grid
    more = flushed(implementation, exact)
    error = _batch_error(exact, float(np.abs(moves).max())) + more
    _, gradient = solve(implementation, exact)
    slopes = _rises(implementation, exact, moves) / step
    wanted = (gradient * moves).sum(axis=(1, 2)) / step
    limit, _ = central_difference(error, _curvatures(exact, moves / step), step)
    own = ((first_order.any_form_gradient(exact)[0] + more) * np.abs(moves)).sum(axis=(1, 2)) / step
    bound = limit + own
    missed = error_missed(float(bound.max()), MISSED, DIRECTIONS) / (float(np.linalg.norm(gradient)) or 1.0)
    source = f"central difference, h = {step:g}; a relative error of {missed:.2g} is missed with probability {MISSED}"
    return asking(exact, [within("slope along Gaussian direction {}", wanted, slopes, bound, source)])


def _slopes_along_classes(implementation: Implementation, problem: Problem, step: float) -> Array:
    """The slope of each row's loss along each class, shape (N, K)."""

    per_row = problem.objective.per_row_options

    def sweep(logits: Array, targets: Array, **keywords: Any) -> Array:
        def stack(copies: Array, labels: Array) -> Any:
            n_copies = len(copies) // max(len(logits), 1)
            own = {name: np.tile(one, n_copies) if name in per_row else one for name, one in keywords.items()}
            return implementation.function(copies, labels, **own)

        return _swept(stack, logits, targets, step)

    call = call_for(implementation, problem)
    outcome = perform(sweep, call, implementation.capture)  # all calls together: watching one call costs 20 us
    if outcome.error is not None:
        raise NoAnswerError(f"raised {describe_error(outcome.error)} (copies of the batch in one call)")
    return np.asarray(outcome.value)


def _swept(function: Callable[..., Any], logits: Array, targets: Array, step: float) -> Array:
    """Slopes along each class, from calls with copies of the batch: each class raised by the step, then lowered.

    All calls share one array, in which only what was moved is put back: filling it again would take a third of the
    time. Where a call has changed it, every call gets a fresh one after all.
    """
    count = min(logits.shape[1], max(1, STACK_BYTES // (2 * max(1, logits.nbytes))))
    shared = np.repeat(logits[None], 2 * count, axis=0)
    slopes = _swept_in(lambda copies: shared[:copies], function, logits, targets, step)
    if (shared == logits).all():
        return slopes
    return _swept_in(lambda copies: np.repeat(logits[None], copies, axis=0), function, logits, targets, step)


def _swept_in(
    stack: Callable[[int], Array], function: Callable[..., Any], logits: Array, targets: Array, step: float
) -> Array:
    """`_swept` with the stacked copies, shape (number of copies, N, K), from `stack`."""
    n_rows, n_classes = logits.shape
    count = min(n_classes, max(1, STACK_BYTES // (2 * max(1, logits.nbytes))))
    moves = np.asarray([step, -step], dtype=logits.dtype)[:, None]
    slopes = np.empty((n_classes, n_rows))
    for start in range(0, n_classes, count):
        classes = np.arange(start, min(start + count, n_classes))
        own = logits.T[classes, None]
        copies = stack(2 * len(classes))
        pairs = copies.reshape(2, -1, n_rows, n_classes)
        pairs[:, np.arange(len(classes)), :, classes] = own + moves
        losses = function(copies.reshape(-1, n_classes), np.concatenate([targets] * (2 * len(classes))))[0]
        pairs[:, np.arange(len(classes)), :, classes] = own
        above, below = np.asarray(losses, dtype=np.float64).reshape(2, len(classes), n_rows)
        slopes[classes] = (above - below) / (2 * step)
    return slopes.T


def _rises(implementation: Implementation, problem: Problem, moves: Array) -> Array:
    """(f(x + move) - f(x - move))/2 of the batch's loss, for each of the moves (M, N, K); shape (M,)."""
    places = [problem.logits64 + sign * move for move in moves for sign in (1.0, -1.0)]
    moved = [problem.replace(logits=place.astype(problem.logits.dtype)) for place in places]
    losses = asked_together(implementation, [partial(_loss_of, implementation, one) for one in moved])
    above, below = np.array(losses).reshape(-1, 2).T
    return np.asarray((above - below) / 2)


def _loss_of(implementation: Implementation, problem: Problem) -> float:
    return float(values_of(evaluate(implementation, problem), problem)[0])


def _step(problem: Problem, error: float, curvature: float, reach: float) -> float:
    """The best step for this error and curvature, at least the spacing of the grid."""
    best = best_step(error, max(error, curvature)) if curvature > 0 else 1.0
    return max(best, _spacing(problem, reach))


def _on_grid(problem: Problem, reach: float, objective: Objective) -> Problem:
    """The problem with logits rounded so that adding any multiple of the grid's spacing up to `reach` is exact."""
    grid = _spacing(problem, reach)
    logits = (np.rint(problem.logits64 / grid) * grid).astype(problem.logits.dtype)
    return problem.replace(logits=logits, objective=objective)


def _spacing(problem: Problem, reach: float) -> float:
    """The spacing of the format's numbers around the largest logit plus `reach`; smaller multiples of it are exact."""
    largest = float(np.abs(problem.logits64).max(initial=0.0)) + reach
    return float(2.0 ** (np.floor(np.log2(largest)) + 2 - problem.format.precision))


def _coefficient_sum(problem: Problem) -> Array:
    """A of each row of the loss that is returned, its factor included and divided as that is, shape (N,)."""
    return np.asarray(loss_factors(problem) * conditioning(problem).coefficient_sum / (denominator_of(problem) or 1.0))


def _curvatures(problem: Problem, directions: Array) -> Array:
    return np.asarray((_coefficient_sum(problem) * np.ptp(directions, axis=2) ** 3).sum(axis=1))


def _batch_error(problem: Problem, radius: float = 0.0) -> float:
    """The error of the batch's loss at all logits within `radius` of these."""
    return float(first_order.reduced_loss(problem, first_order.any_form_losses(problem, radius), radius)[0])
