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

from gradlab.bounds import first_order
from gradlab.bounds.bound import Bound
from gradlab.bounds.rounding_counts import QUIET
from gradlab.layer.bounds.arithmetic import arithmetic
from gradlab.layer.bounds.computed import Sizes, computed_problem, entry_sizes
from gradlab.layer.bounds.outputs import LayerBounds, bounds_of_sums, loss_bound
from gradlab.layer.problem import LayerProblem
from gradlab.problems.caching import remember
from gradlab.problems.problem import Problem

_SOURCE = "proved: the forward error of the layer, in any order of summation"


@remember(256)
@QUIET
def proved_bounds(problem: LayerProblem, accumulates_in: str | None = None) -> LayerBounds:
    """The largest errors that sound code can have, in each output; accumulates_in: as in `arithmetic`."""
    sizes, rows = at_logits(problem, accumulates_in)
    gradients = bounds_of_sums(sizes, rows, first_order.gradient(rows).error, entry_sizes(rows))
    return LayerBounds(proved_loss(problem, accumulates_in), *(Bound(one, _SOURCE) for one in gradients))


@remember(256)
@QUIET
def proved_loss(problem: LayerProblem, accumulates_in: str | None = None) -> Bound:
    """The same of the loss alone, which is all that a difference of two losses needs."""
    sizes, rows = at_logits(problem, accumulates_in)
    squares = sizes.arithmetic.roundings(problem.weight.size + problem.n_classes)
    return Bound(loss_bound(sizes, rows, first_order.loss(rows).error, squares), _SOURCE)


@remember(64)
def at_logits(problem: LayerProblem, accumulates_in: str | None) -> tuple[Sizes, Problem]:
    """What the bounds of both are made of: the sizes of products, and the problem at logits that are computed."""
    sums = arithmetic(problem.format, accumulates_in)
    sizes = Sizes(problem, sums)
    return sizes, computed_problem(sizes, sums.roundings(problem.n_features + 1) + sums.is_wider)
