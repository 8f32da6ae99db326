"""Exact gradient descent, enclosed: after t steps it is within a proved distance of what float64 computes.

Let V_t be exact descent and U_t what float64 computes, V_0 = U_0. A step T takes two points no further apart than by
its expansion c, so

    |U_{t+1} - V_{t+1}| <= |U_{t+1} - T(U_t)| + |T(U_t) - T(V_t)| <= residual_t + c |U_t - V_t|,

and the residual is eta times the error of the gradient at U_t, and two roundings. With a step of at most 2/L, c <= 1:
no distance grows, and those of t steps come to no more than the sum of their residuals. |.| is the Euclidean norm of
all parameters.

Code in a narrower format does the same with larger residuals: the same recurrence, with the bound of that format's
arithmetic, is the tolerance for it. Its residuals are those at its own iterates, which are no further from U_t than
the tolerance and the radius together: they are bounded at U_t, and by what the bound grows by over that distance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from gradlab.problems.problem import Array
from gradlab.trainer.curvature import curvature_of
from gradlab.trainer.gradient import (
    FLOAT64,
    UPWARDS,
    Arithmetic,
    Batch,
    ErrorBound,
    batch_of,
    probable_arithmetic,
    proved_arithmetic,
    step_gradient,
)
from gradlab.trainer.problem import TrainerProblem

KEPT = 64  # batches that are taken out of the data but once


@dataclass(frozen=True, eq=False)
class Iterate:
    """Exact descent after a number of steps.

    parameters: what float64 computes, (n_parameters, n_classes), the bias as last row. radius: how far exact descent is
    from that at most. proved: how far sound code in the problem's format may be from exact descent, whatever the order
    of its sums; probable: how far it is likely to be. All in the Euclidean norm of all parameters.
    """

    n_steps: int
    parameters: Array
    radius: float
    proved: float
    probable: float


def descend(problem: TrainerProblem) -> Iterator[Iterate]:
    """Exact descent after 0, 1, 2, ... steps of the problem."""
    curvature, rate = curvature_of(problem), problem.learning_rate
    expansion = curvature.expansion(rate)
    batches = batches_of(problem)
    theirs = (proved_arithmetic(problem.format), probable_arithmetic(problem.format))
    current, radius, tolerances = problem.start64, 0.0, [0.0, 0.0]
    yield Iterate(0, current, radius, *tolerances)
    for step in range(1, problem.n_steps + 1):
        batch = next(batches)
        own = step_gradient(batch, current, problem.slopes)
        following = current - rate * own.value
        for place, other in enumerate(theirs):
            bound = own.bound(other)
            more = _slack(rate, bound.growth, curvature.smoothness, other) * (tolerances[place] + radius)
            residual = _residual(rate, own.value, bound, following, other) + more
            tolerances[place] = _grown(tolerances[place], expansion, residual)
        radius = _grown(radius, expansion, _residual(rate, own.value, own.bound(FLOAT64), following, FLOAT64))
        current = following
        yield Iterate(step, current, radius, *tolerances)


def batches_of(problem: TrainerProblem) -> Iterator[Batch]:
    """The batch of each step, without an end."""

    def batch(rows: Array | slice) -> Batch:
        return batch_of(problem.extended64, problem.shares64, rows)

    few = len(problem.batches) <= KEPT
    return cycle([batch(rows) for rows in problem.batches]) if few else map(batch, cycle(problem.batches))


def end_of_descent(problem: TrainerProblem) -> Iterate:
    """Exact descent after all steps of the problem."""
    (last,) = islice(descend(problem), problem.n_steps, None)
    return last


def distance_to(iterate: Iterate, parameters: Array) -> tuple[float, float]:
    """How far parameters are from exact descent, at least and at most."""
    apart = float(np.linalg.norm(parameters.astype(np.float64) - iterate.parameters))
    return max(apart / UPWARDS - iterate.radius, 0.0), (apart + iterate.radius) * UPWARDS


def _residual(rate: float, gradient: Array, bound: ErrorBound, following: Array, other: Arithmetic) -> float:
    """How far a step may be from the exact one at the same place: the rate in the format, a product and a sum."""
    moved = rate * (bound.entries + 3 * other.unit * np.abs(gradient))
    return float(np.linalg.norm(moved + 2 * other.unit * np.abs(following) + other.tiny)) * UPWARDS


def _slack(rate: float, growth: float, smoothness: float, other: Arithmetic) -> float:
    """What a residual may be larger by at other parameters, for each unit of their distance."""
    of_gradient = rate * (growth + 3 * other.unit * smoothness)
    return (of_gradient + 2 * other.unit * (1 + rate * smoothness)) * UPWARDS


def _grown(distance: float, expansion: float, residual: float) -> float:
    return (distance * expansion + residual) * (1 + 2.0**-50)  # a product and a sum, and this product
