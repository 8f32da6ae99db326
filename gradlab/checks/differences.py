"""Central differences of an implementation's own loss, judged with a derived step and tolerance.

Only on moderate logits: there the error of every correct loss has a known bound, so that a disagreement is an error
of mathematics. All logits are first rounded to a grid on which x + h and x - h are exact.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradlab import tolerances
from gradlab.checks.check import Findings, solved, values_of
from gradlab.coefficients import coefficients_of, denominator_of
from gradlab.evaluation import Implementation, evaluate
from gradlab.problems.problem import Array, Problem
from gradlab.result import within

SMALL = 64  # entries up to which every coordinate of a batch's loss is perturbed on its own
DIRECTIONS = 8  # Gaussian directions on larger problems
STACK_BYTES = 256 * 1024  # copies of the batch go into one call up to this size, about a second-level cache


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
    """Central differences along every class, all rows at once, of the rows' own losses (reduction none)."""
    rowwise = problem.replace(objective=replace(problem.objective, reduction="none"))
    mass = coefficients_of(rowwise).sum(axis=1)
    error = tolerances.any_form_losses(rowwise, 1.0)[0]
    step, exact = _prepared(rowwise, (float(error.max()), float(mass.max())), 1.0)
    _, gradient = solved(implementation, exact)
    slopes = np.empty(gradient.shape)
    copies = max(1, STACK_BYTES // (2 * exact.logits.nbytes))
    for start in range(0, exact.n_classes, copies):
        classes = np.arange(start, min(start + copies, exact.n_classes))
        slopes[:, classes] = _slopes_along(implementation, exact, (classes, step))
    limit, source = tolerances.central_difference(error[:, None], mass[:, None], step)
    bound = limit + tolerances.any_form_gradient(exact)[0]
    return [within("gradient[{}, {}]", gradient, slopes, (bound, f"{source}, h = {step:g}"))]


def along_coordinates(implementation: Implementation, problem: Problem) -> Findings:
    """Central differences of the batch's loss along every coordinate, 2 N K evaluations."""
    mass = _mass(problem)
    error = _batch_error(problem)
    step, exact = _prepared(problem, (error, float(mass.max())), 1.0)
    _, gradient = solved(implementation, exact)
    slopes = np.empty(gradient.shape)
    for index in np.ndindex(*slopes.shape):
        move = np.zeros(slopes.shape)
        move[index] = step
        slopes[index] = _rise(implementation, exact, move) / step
    limit, source = tolerances.central_difference(error, mass[:, None], step)
    bound = limit + tolerances.any_form_gradient(exact)[0]
    return [within("gradient[{}, {}]", gradient, slopes, (bound, f"{source}, h = {step:g}"))]


def along_directions(implementation: Implementation, problem: Problem) -> Findings:
    """Central differences of the batch's loss along DIRECTIONS Gaussian directions, 2 evaluations each.

    The source of the bound states the chance that a gradient with a relative error of 0.1% is missed by all.
    """
    generator = np.random.default_rng(int(problem.digest, 16))
    drawn = generator.standard_normal((DIRECTIONS, *problem.logits.shape))
    reach = float(np.abs(drawn).max())
    error = _batch_error(problem, reach)
    step, exact = _prepared(problem, (error, float(_curvatures(problem, drawn).max())), reach)
    grid = _spacing(exact, reach * step)
    moves = np.rint(drawn * step / grid) * grid
    _, gradient = solved(implementation, exact)
    slopes = np.array([_rise(implementation, exact, move) for move in moves]) / step
    wanted = (gradient * moves).sum(axis=(1, 2)) / step
    limit, _ = tolerances.central_difference(error, _curvatures(problem, moves / step), step)
    own = (tolerances.any_form_gradient(exact)[0] * np.abs(moves)).sum(axis=(1, 2)) / step
    bound = limit + own
    missed = tolerances.probability_of_missing(float(bound.max()), 1e-3 * float(np.linalg.norm(gradient)), DIRECTIONS)
    source = f"central difference, h = {step:g}; a relative error of 0.1% is missed with probability {missed:.2g}"
    return [within("slope along Gaussian direction {}", wanted, slopes, (bound, source))]


def _slopes_along(implementation: Implementation, problem: Problem, moves: tuple[Array, float]) -> Array:
    """Slopes of the rows' losses along some classes, shape (N, number of classes), from one stacked call."""
    classes, step = moves
    n_rows, count = problem.n_rows, len(classes)
    stacked = np.tile(problem.logits, (2 * count, 1))
    rows = np.arange(count * n_rows)
    columns = np.repeat(classes, n_rows)
    shift = np.asarray(step, dtype=stacked.dtype)
    stacked[rows, columns] += shift
    stacked[count * n_rows + rows, columns] -= shift
    targets = np.concatenate([problem.targets] * (2 * count))
    moved = problem.replace(logits=stacked, targets=targets)
    losses, _ = values_of(evaluate(implementation, moved), moved)
    above, below = losses.reshape(2, count, n_rows)
    return np.asarray(((above - below) / (2 * step)).T)


def _rise(implementation: Implementation, problem: Problem, move: Array) -> float:
    """(f(x + move) - f(x - move))/2 of the batch's loss."""
    values = []
    for sign in (1.0, -1.0):
        moved = problem.replace(logits=(problem.logits64 + sign * move).astype(problem.logits.dtype))
        values.append(float(values_of(evaluate(implementation, moved), moved)[0]))
    return (values[0] - values[1]) / 2


def _prepared(problem: Problem, balance: tuple[float, float], reach: float) -> tuple[float, Problem]:
    """The best step for (error, curvature), and the problem rounded so that steps up to reach are exact."""
    step = tolerances.best_step(balance[0], max(balance[1], balance[0])) if balance[1] > 0 else 1.0
    step = max(step, _spacing(problem, reach * step))
    grid = _spacing(problem, reach * step)
    return step, problem.replace(logits=(np.rint(problem.logits64 / grid) * grid).astype(problem.logits.dtype))


def _spacing(problem: Problem, reach: float) -> float:
    """The spacing of the format's numbers around the largest logit plus `reach`; smaller multiples of it are exact."""
    largest = float(np.abs(problem.logits64).max(initial=0.0)) + reach
    return float(2.0 ** (np.floor(np.log2(largest)) + 2 - problem.format.precision))


def _mass(problem: Problem) -> Array:
    return np.asarray(coefficients_of(problem).sum(axis=1) / (denominator_of(problem) or 1.0))


def _curvatures(problem: Problem, directions: Array) -> Array:
    return np.asarray((_mass(problem) * np.ptp(directions, axis=2) ** 3).sum(axis=1))


def _batch_error(problem: Problem, reach: float = 1.0) -> float:
    """The error of the batch's loss at all logits within `reach` of these."""
    return float(tolerances.reduced_loss(problem, tolerances.any_form_losses(problem, reach))[0])
