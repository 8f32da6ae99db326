"""A layer problem as the bounds of the logits see it: a problem whose logits are computed, and the sizes of products.

The logit z_ij = sum_d x_id w_dj + b_j of D + 1 terms is off by gamma(D + 1) (|x| |w| + |b|)_ij, in any order
(`arithmetic`), and by eta for each product that underflows. The logits that the bounds are taken at are those of
`oracle.logits` where these are needed and can be had (float64), else float64's own: what they are off by themselves is
added twice, since code may be off in the one direction and the bounds in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.conditioning import conditioning
from gradlab.bounds.options import RowErrors, computed_entry_size
from gradlab.bounds.rounding_counts import QUIET, divisor, gamma
from gradlab.layer.bounds.arithmetic import Arithmetic
from gradlab.layer.oracle.logits import enclose_logits
from gradlab.layer.problem import LayerProblem
from gradlab.problems.coefficients import gradient_factors
from gradlab.problems.problem import Array, ComputedLogits, Problem

_FARTHEST = 700.0  # exp of it is a large float64; logits that are off by more are known to nothing
_OWN = 2.0**-52  # of float64's own roundings, with room


@dataclass(frozen=True, eq=False)
class Sizes:
    """What the bounds of a layer are made of, each worked out once.

    products: (|X| |W| + |b|) as the logits have them, (N, K). in_range: rows where no product, and no sum on the way,
    is beyond a half of the largest number, and which have a value, (N,).
    """

    problem: LayerProblem
    arithmetic: Arithmetic

    @cached_property
    def products(self) -> Array:
        bias = np.where(np.isinf(self.problem.bias64), 0.0, np.abs(self.problem.bias64))
        return np.asarray(np.abs(self.problem.features64) @ np.abs(self.problem.weight64) + bias)

    @cached_property
    def in_range(self) -> Array:
        return np.asarray((self.products < self.arithmetic.largest / 2).all(axis=1))

    @cached_property
    def logits(self) -> tuple[Array, Array]:
        """Logits in float64, -inf where the bias is, and how far each is from the exact one; finite elsewhere."""
        problem = self.problem
        exact = enclose_logits(problem) if problem.format.precision > 24 and self.in_range.all() else None
        if exact is None:
            values, error = problem.float64_logits, (problem.n_features + 2) * _OWN * self.products
        else:
            values, error = exact.high, _OWN * np.abs(exact.high) + exact.radius
        return np.where(problem.bias64 == -np.inf, -np.inf, values), error


@QUIET
def computed_problem(sizes: Sizes, roundings: float) -> Problem:
    """The problem at the logits, which are off by what so many roundings of the products' sizes come to.

    Rows that are not in range have logits of 0 and no error: what the bounds say of them is of no use.
    """
    logits, apart = sizes.logits
    terms = sizes.problem.n_features + 1
    own = gamma(roundings, sizes.arithmetic.fmt) * sizes.products + terms * sizes.arithmetic.smallest
    known = sizes.in_range[:, None]
    errors = np.where(known & np.isfinite(logits), np.minimum(own + 2 * apart, _FARTHEST), 0.0)
    computed = ComputedLogits(errors, sizes.arithmetic.fmt.name)
    return sizes.problem.at_logits(np.where(known, logits, 0.0), computed)


@QUIET
def entry_sizes(rows: Problem) -> Array:
    """The sum of the sizes of the parts of each entry of the gradient, A p_j + t_j and terms, as code may add them.

    Of the reduced gradient, with the rows' factors; (N, K). So sums over rows or classes may be taken of G, or of A p
    and of t apart.
    """
    c = conditioning(rows)
    k, delta = first_order.rounding_count(rows, c), first_order.coefficient_errors(rows)
    own = computed_entry_size(RowErrors(rows, c, k, delta)) + delta
    return np.asarray(own * np.abs(gradient_factors(rows))[:, None] / divisor(rows))
