"""Central differences of an implementation's own loss at every step that is a power of two: a curve like a V."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.calculus import central_difference
from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.call import Implementation, evaluate
from gradlab.oracle.enclosure import enclose
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.placing import make_problem
from gradlab.problems.problem import Array

LOGITS, LABEL, CLASS = (1.5, -0.5, 0.25), 2, 0  # multiples of 2^-2, so that every step down to an ULP of 4 is exact


@dataclass(frozen=True)
class DifferenceCurve:
    """How far the slope of the loss along one logit is from the exact gradient, for each step, the largest first.

    slope: the exact one. errors: of (f(x + h) - f(x - h))/(2 h), absolute; inf where no number came back. bounds: what
    is proved of any sound loss. truncation: the part of the bound that exact arithmetic would leave.
    """

    dtype: str
    slope: float
    steps: tuple[float, ...]
    errors: tuple[float, ...]
    bounds: tuple[float, ...]
    truncation: tuple[float, ...]


def difference_curve_of(implementation: Implementation, dtype: str) -> DifferenceCurve:
    """The curve of a loss of logits in one dtype."""
    problem = adapt_to_claims(implementation.claims, make_problem(format_of(dtype), [LOGITS], [LABEL]))

    def loss_at(move: float) -> Array | None:
        return evaluate(implementation, problem.replace(logits=moved(problem.logits, move))).loss

    def error_at(step: float) -> float:
        rows = first_order.any_form_losses(problem, step)  # at all logits within a step of these
        return float(np.max(first_order.reduced_loss(problem, rows, step).error))

    return curve_along(dtype, float(enclose(problem).gradient.nearest()[0, CLASS]), loss_at, error_at)


def moved(logits: Array, move: float) -> Array:
    """The logits, of which that of CLASS is moved; in their dtype."""
    changed = logits.astype(np.float64)
    changed[0, CLASS] += move
    return changed.astype(logits.dtype)


def curve_along(
    dtype: str, slope: float, loss_at: Callable[[float], Array | None], error_at: Callable[[float], float]
) -> DifferenceCurve:
    """The curve, where loss_at gives the loss that is returned after a move, and error_at its bound within a step."""
    steps = [2.0**-power for power in range(format_of(dtype).precision - 1)]
    slopes = [_slope(loss_at, step) for step in steps]
    error = np.abs(np.asarray(slopes) - slope)
    errors = np.where(np.isfinite(error), error, np.inf)
    return DifferenceCurve(
        dtype,
        slope,
        tuple(steps),
        tuple(errors.tolist()),
        tuple(float(central_difference(error_at(step), 1.0, step).error) for step in steps),
        tuple(float(central_difference(0.0, 1.0, step).error) for step in steps),
    )


def _slope(loss_at: Callable[[float], Array | None], step: float) -> float:
    """The central difference of the loss that is returned; NaN where there is none."""
    found = [loss_at(step), loss_at(-step)]
    forward, backward = (np.nan if one is None else np.sum(np.asarray(one, dtype=np.float64)) for one in found)
    with np.errstate(all="ignore"):
        return float((forward - backward) / (2 * step))
