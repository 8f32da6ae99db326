"""Curves of a layer: errors of its outputs along the axes of `gradlab.harness.curves`, and differences of its loss.

X is the identity, the rows of W are the logits, and the bias is 0: so X W is known without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab.checks.layer.outputs import bounds_of, loss_bound_of
from gradlab.evaluation.call import Implementation
from gradlab.harness.curves import Axis, Curve, PartErrors
from gradlab.harness.difference_curve import CLASS, LABEL, LOGITS, DifferenceCurve, curve_along, moved
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer, layer_answer, layer_claims
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.ulp import error_in_ulp, ulp_exponent
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.placing import make_problem
from gradlab.problems.problem import Problem

Errors = Mapping[str, tuple[float, float]]  # the largest error of an output and what is allowed of that entry, in ULP


def layer_curve_of(implementation: Implementation, axis: Axis, dtype: str) -> Curve:
    """The errors of the outputs that a layer returns along an axis."""
    fmt = format_of(dtype)
    values = axis.values(fmt).tolist()
    lifted = [_lifted(axis.problem(fmt, value)) for value in values]
    points = [_errors(implementation, adapt_layer_to_claims(implementation.claims, one)) for one in lifted]
    parts = {
        name: PartErrors(*(tuple(float(point[name][number]) for point in points) for number in range(2)))
        for name in points[0]
    }
    return Curve(axis.name, dtype, tuple(values), parts)


def layer_difference_curve_of(implementation: Implementation, dtype: str) -> DifferenceCurve | None:
    """The central differences of a layer's own loss along one entry of W; None where it returns no loss."""
    if "loss" not in layer_claims(implementation.claims).places:
        return None
    lifted = _lifted(make_problem(format_of(dtype), [LOGITS], [LABEL]))
    problem = adapt_layer_to_claims(implementation.claims, lifted)

    def after(move: float) -> LayerProblem:
        return problem.replace(weight=moved(problem.weight, move))

    def error_at(step: float) -> float:
        return max(float(np.max(loss_bound_of(implementation, after(move)).error)) for move in (step, -step))

    slope = float(enclose_layer(problem).dW.nearest()[0, CLASS])
    return curve_along(dtype, slope, lambda move: evaluate_layer(implementation, after(move)).loss, error_at)


def _lifted(problem: Problem) -> LayerProblem:
    """The same problem as one of a layer, whose weight has the logits as its rows."""
    identity = np.eye(problem.n_rows, dtype=problem.logits.dtype)
    return LayerProblem(identity, problem.logits, None, problem.targets, problem.objective)


def _errors(implementation: Implementation, problem: LayerProblem) -> Errors:
    given, truth = layer_answer(implementation, problem), enclose_layer(problem)
    bounds = bounds_of(implementation, problem)
    returned = layer_claims(implementation.claims).places
    found = {}
    for name in (one for one in problem.outputs if one in returned):
        exact, seen = truth.output(name), np.full(problem.shape_of(name), np.inf)
        with np.errstate(all="ignore"):
            allowed = bounds.output(name).error / np.ldexp(1.0, ulp_exponent(exact, problem.format))
            if name in given.outputs:
                seen = error_in_ulp(given.outputs[name].astype(np.float64), exact, problem.format)
        at = np.unravel_index(np.argmax(seen), seen.shape)
        found[name] = float(seen[at]), float(np.broadcast_to(allowed, seen.shape)[at])
    return found
