"""How far off a layer's outputs are along the axes of `gradlab.harness.curves`, where X W is known without rounding.

X is the identity, the rows of W are the logits, and the bias is 0.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab.checks.layer.outputs import bounds_of
from gradlab.evaluation.call import Implementation
from gradlab.harness.curves import Axis, Curve, PartErrors
from gradlab.layer.call import adapt_layer_to_claims, layer_answer, layer_claims
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.ulp import error_in_ulp, ulp_exponent
from gradlab.problems.dtypes import format_of
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
