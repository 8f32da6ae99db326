"""Central differences of an implementation's own loss at every step that is a power of two: a curve like a V."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.calculus import central_difference
from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.call import Implementation, evaluate
from gradlab.oracle.enclosure import enclose
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.placing import make_problem
from gradlab.problems.problem import Problem

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
    """The curve of an implementation in one dtype."""
    fmt = format_of(dtype)
    problem = adapt_to_claims(implementation.claims, make_problem(fmt, [LOGITS], [LABEL]))
    slope = float(enclose(problem).gradient.nearest()[0, CLASS])
    steps = [2.0**-power for power in range(fmt.precision - 1)]
    slopes = [_slope(implementation, problem, step) for step in steps]
    error = np.abs(np.asarray(slopes) - slope)
    errors = np.where(np.isfinite(error), error, np.inf)
    return DifferenceCurve(
        dtype,
        slope,
        tuple(steps),
        tuple(errors.tolist()),
        tuple(float(central_difference(_loss_error(problem, step), 1.0, step).error) for step in steps),
        tuple(float(central_difference(0.0, 1.0, step).error) for step in steps),
    )


def _slope(implementation: Implementation, problem: Problem, step: float) -> float:
    """The central difference of the loss that is returned; NaN where there is none."""
    losses = []
    for sign in (1.0, -1.0):
        logits = problem.logits64.copy()
        logits[0, CLASS] += sign * step
        given = evaluate(implementation, problem.replace(logits=logits.astype(problem.logits.dtype)))
        losses.append(np.nan if given.loss is None else float(np.sum(np.asarray(given.loss, dtype=np.float64))))
    with np.errstate(all="ignore"):
        return float((np.float64(losses[0]) - losses[1]) / (2 * step))


def _loss_error(problem: Problem, step: float) -> float:
    """The error of the loss at all logits within a step of these."""
    rows = first_order.any_form_losses(problem, step)
    return float(np.max(first_order.reduced_loss(problem, rows, step).error))
