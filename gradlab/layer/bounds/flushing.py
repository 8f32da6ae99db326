"""What it can cost a layer that subnormal numbers are flushed to 0, as operands and as results.

Each operation may lose the smallest normal number s; a product of x and w loses at most s (|x| + |w| + 1). So a logit
is off by s (sum |x_d| + sum |w_d| + D + 3), an entry of the gradient by the logits by twice that, times the row's
coefficients, and by what `first_order.flush_error` has; then the products of dX, dW and db lose as much again.
"""

from __future__ import annotations

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.bound import Bound
from gradlab.bounds.conditioning import conditioning
from gradlab.bounds.rounding_counts import QUIET, divisor
from gradlab.layer.bounds.outputs import LayerBounds
from gradlab.layer.bounds.proved import at_logits
from gradlab.layer.problem import LayerProblem
from gradlab.problems.problem import Array

_SAID = "; subnormals flushed, as claimed"
_MORE = 6.0  # operations on an entry beside its products: the division, factors, the penalty, the sum with it


@QUIET
def with_flushing(bounds: LayerBounds, problem: LayerProblem, accumulates_in: str | None = None) -> LayerBounds:
    """These bounds, each with what flushing may cost its output more."""
    costs = _costs(problem, accumulates_in)
    more = [Bound(bounds.output(name).error + cost, bounds.output(name).source + _SAID) for name, cost in costs.items()]
    return LayerBounds(*more)


def _costs(problem: LayerProblem, accumulates_in: str | None) -> dict[str, Array]:
    """By output, in the order of `LayerBounds`."""
    _, rows = at_logits(problem, accumulates_in)
    least, (n, d, k) = problem.format.smallest_normal, (problem.n_rows, problem.n_features, problem.n_classes)
    features, weight = _sizes(problem.features64), _sizes(problem.weight64)
    coefficient = float(conditioning(rows).coefficient_sum.max(initial=0.0))
    logit = least * (features.sum(axis=1).max(initial=0.0) + weight.sum(axis=0).max(initial=0.0) + d + 3)
    own = first_order.flush_error(rows)
    entry = own + 2 * logit * coefficient / divisor(rows)
    slope = problem.penalty.slope
    penalty = least * (slope + weight.max(initial=0.0) + 1) * problem.penalty.is_on
    squares = least * (slope + 1) * (weight.size + k) * problem.penalty.is_on
    return {
        "loss": np.asarray(own + 2 * logit * coefficient * n + squares),
        "dX": np.asarray(entry * weight.sum(axis=1) + least * (weight.sum(axis=1) + (2 * coefficient + 1) * k + _MORE)),
        "dW": np.asarray(
            entry * features.sum(axis=0) + least * (features.sum(axis=0) + (2 * coefficient + 1) * n + _MORE) + penalty
        )[:, None],
        "db": np.asarray(entry * n + least * (n + _MORE) + penalty),
    }


def _sizes(values: Array) -> Array:
    """The sizes of what is finite; 0 elsewhere."""
    return np.abs(np.where(np.isfinite(values), values, 0.0))
