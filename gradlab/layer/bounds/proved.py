"""The proved bounds of the layer: they hold for any order of summation, and for any rounding errors.

E bounds the error of the gradient G by the logits, entry by entry, and S the sizes of what its entries are made of;
both come from `bounds.first_order`, at logits that are computed (`computed`). Then, with gamma(n) for what an inner
product of n terms carries (`arithmetic`) and three roundings more (a scale of rows, one of the result, a penalty),

    dX: E |W|^T + gamma(K) (S + E) |W|^T
    dW: |X|^T E + gamma(N) (|X|^T (S + E) + slope |W|)
    db: sum over the rows of E + gamma(N) (the same of S + E, and slope |b| where the penalty takes the bias)

and what `outputs` adds. S is A p + t rather than |G|, as the two may be summed apart: X^T P less the rows of X at their
labels.

N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sections 3.1 and 3.5; and `arithmetic`.
"""

from __future__ import annotations

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.bound import Bound
from gradlab.bounds.rounding_counts import QUIET, gamma
from gradlab.layer.bounds.arithmetic import arithmetic
from gradlab.layer.bounds.computed import Sizes, computed_problem, entry_sizes
from gradlab.layer.bounds.outputs import (
    Gradient,
    LayerBounds,
    Triple,
    gradient_bounds,
    loss_bound,
    penalty_sizes,
    sum_sizes,
)
from gradlab.layer.problem import LayerProblem
from gradlab.problems.caching import remember

_MORE = 3.0  # roundings of an entry beside those of its inner product
_SOURCE = "proved: the forward error of the layer, in any order of summation"


@remember(256)
@QUIET
def proved_bounds(problem: LayerProblem, accumulates_in: str | None = None) -> LayerBounds:
    """The largest errors that sound code can have, in each output; accumulates_in: as in `arithmetic`."""
    sums = arithmetic(problem.format, accumulates_in)
    sizes = Sizes(problem, sums)
    rows = computed_problem(sizes, sums.roundings(problem.n_features + 1) + sums.is_wider)
    error = first_order.gradient(rows).error
    known = (sizes.in_range & np.isfinite(error).all(axis=1))[:, None]
    error, size = np.where(known, error, 0.0), np.where(known, entry_sizes(rows), 0.0)
    through, parts, penalty = sum_sizes(sizes, error), sum_sizes(sizes, size + error), penalty_sizes(sizes)
    n_terms = (problem.n_classes, problem.n_rows, problem.n_rows)
    errors = [
        moved + gamma(sums.roundings(count) + _MORE + sums.is_wider, sums.fmt) * (part + own)
        for moved, part, own, count in zip(through, parts, penalty, n_terms, strict=True)
    ]
    gradients = gradient_bounds(sizes, Gradient(rows, size, ~known[:, 0]), Triple(*errors))
    squares = sums.roundings(problem.weight.size + problem.n_classes)
    loss = loss_bound(sizes, rows, first_order.loss(rows).error, squares)
    return LayerBounds(*(Bound(one, _SOURCE) for one in (loss, *gradients)))
