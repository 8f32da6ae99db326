"""The bounds of level `accurate` at the layer: as right as its products allow, however certain the classes are.

A sound layer need not see what is left of 1 - p once p rounds to 1: its gradient at the label is off by some u of 1. An
accurate one gets each entry of G to the few ULP of `first_order.accurate_ulps`, at the logits that it worked out, and
then adds up. So, with theta as in `bounds.moved_logits` and |G| in place of A p + t,

    E = gamma(2 ULP) (|G| + moved) + moved,    moved = A p (1 - p) (exp(theta) - 1),

over the denominator, and dX, dW and db as in `proved`, with S = |G|. The loss: `first_order.accurate_loss_ulps` ULP,
and what the logits move it by, sum_j t_j theta_j min(1, (1 - p_j) exp(theta_j)). One ULP is at most 2 u, relatively.

They are for objectives without an option of one number; with one they are the proved bounds.
"""

from __future__ import annotations

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.bound import Bound
from gradlab.bounds.conditioning import conditioning, moves_alone, softmax_parts
from gradlab.bounds.moved_logits import log_probability_errors, probability_errors
from gradlab.bounds.rounding_counts import QUIET, divisor, gamma
from gradlab.bounds.row_factors import loss_size
from gradlab.layer.bounds.arithmetic import arithmetic
from gradlab.layer.bounds.computed import Sizes, computed_problem
from gradlab.layer.bounds.outputs import LayerBounds, bounds_of_sums, loss_bound
from gradlab.layer.bounds.proved import proved_bounds
from gradlab.layer.problem import LayerProblem
from gradlab.problems.caching import remember
from gradlab.problems.coefficients import gradient_factors, loss_factors
from gradlab.problems.problem import Array, Problem

_SOURCE = "accurate: each entry of the gradient by the logits right to a few ULP, then the products"


@remember(256)
@QUIET
def accurate_bounds(problem: LayerProblem, accumulates_in: str | None = None) -> LayerBounds:
    """How far an accurate layer may be off in each output; never more than is proved of any sound one."""
    sums = arithmetic(problem.format, accumulates_in)
    sizes = Sizes(problem, sums)
    rows = computed_problem(sizes, sums.roundings(problem.n_features + 1) + sums.is_wider)
    proved = proved_bounds(problem, accumulates_in)
    if not moves_alone(rows):
        return proved
    size = np.where(sizes.in_range[:, None], _gradient_sizes(rows), 0.0)
    moved = np.where(sizes.in_range[:, None], _factors(rows) * probability_errors(rows), 0.0)
    few = gamma(2 * first_order.accurate_ulps(rows), problem.format)
    underflow = 4 * problem.format.smallest_subnormal
    gradients = bounds_of_sums(sizes, rows, few * (size + moved) + moved + underflow, size)
    squares = sums.roundings(problem.weight.size + problem.n_classes)
    loss = loss_bound(sizes, rows, _loss_error(rows), squares)
    smaller = (np.minimum(one, other.error) for one, other in zip((loss, *gradients), proved, strict=True))
    return LayerBounds(*(Bound(np.asarray(one), _SOURCE) for one in smaller))


def _factors(rows: Problem) -> Array:
    """What each row's A p_j is multiplied by in the reduced gradient, (N, 1)."""
    own = conditioning(rows).coefficient_sum * np.abs(gradient_factors(rows))
    return np.asarray(own[:, None] / divisor(rows))


def _gradient_sizes(rows: Problem) -> Array:
    """|G|, worked out as p_j sum_{i != j} t_i - t_j (1 - p_j), which does not cancel for labels; (N, K)."""
    p, others = softmax_parts(rows)
    t = conditioning(rows).coefficients
    rest = np.where(t.any(axis=1, keepdims=True), t.sum(axis=1, keepdims=True) - t, 0.0)
    own = np.abs(p * rest - t * others)
    return np.asarray(own * np.abs(gradient_factors(rows))[:, None] / divisor(rows))


def _loss_error(rows: Problem) -> Array:
    """The error of the loss as it is returned, shape () or (N,)."""
    c = conditioning(rows)
    moved = loss_factors(rows) * (c.coefficients * log_probability_errors(rows)).sum(axis=1) / divisor(rows)
    size = loss_size(rows) / divisor(rows)
    if rows.objective.reduction != "none":
        moved, size = np.asarray(moved.sum()), np.asarray(size.sum())
    few = gamma(2 * first_order.accurate_loss_ulps(rows), rows.format)
    return np.asarray(few * (size + moved) + moved + 4 * rows.format.smallest_subnormal)
