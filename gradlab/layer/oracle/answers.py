"""What the ways of working out a layer's answers take and return, and when an enclosure is narrow enough."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import arb

from gradlab.layer.problem import LayerProblem
from gradlab.oracle.exact.canonical import RowKinds, is_undefined, row_kinds
from gradlab.oracle.intervals import Array, Enclosures, ldexp
from gradlab.oracle.ulp import WIDTH_BITS
from gradlab.problems.dtypes import Format
from gradlab.problems.problem import Problem


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A layer problem as the domain rules see it: which of its logits are finite, whatever they are.

    frame: the problem of logits that are 0, -inf where the bias masks the class, and NaN in the rows that a NaN or an
    infinity in features, weight or bias reaches.
    """

    problem: LayerProblem

    @cached_property
    def frame(self) -> Problem:
        problem, bias = self.problem, self.problem.bias64
        logits = np.where(bias == -np.inf, -np.inf, np.zeros((problem.n_rows, problem.n_classes)))
        logits[self._lost_rows | self._parameters_are_lost] = np.nan
        return problem.at_logits(logits)

    @cached_property
    def kinds(self) -> RowKinds:
        return row_kinds(self.frame)

    @cached_property
    def rows_without_gradient(self) -> Array:
        """Which rows have NaN as their gradient: those without a value, and all that count in a mean over nothing."""
        rows = np.zeros(self.problem.n_rows, dtype=bool)
        rows[self.kinds.undefined] = True
        return rows if self.has_mean else rows | ~self.frame.ignored_rows

    @cached_property
    def has_mean(self) -> bool:
        """Whether what the reduction divides by, if anything, is not 0."""
        return not is_undefined(self.frame)

    @cached_property
    def has_loss(self) -> bool:
        """Whether the loss of every row is finite, and so is what the reduction makes of them."""
        return not (self.kinds.infinite.size or self.rows_without_gradient.any() or not self.has_mean)

    @property
    def penalty_is_lost(self) -> bool:
        """Whether there is a penalty of parameters that are not finite."""
        return self.problem.penalty.is_on and self._parameters_are_lost

    @cached_property
    def finite(self) -> LayerProblem:
        """The problem with zeros in place of features and parameters that have no value; -inf in the bias stays."""
        problem = self.problem
        if not self._lost_rows.any() and not self._parameters_are_lost:
            return problem
        zero = problem.features.dtype.type(0)
        features = np.where(self._lost_rows[:, None], zero, problem.features)
        if not self._parameters_are_lost:
            return problem.replace(features=features)
        bias = None if problem.bias is None else np.zeros_like(problem.bias)
        return problem.replace(features=features, weight=np.zeros_like(problem.weight), bias=bias)

    @cached_property
    def _lost_rows(self) -> Array:
        return np.asarray(~np.isfinite(self.problem.features64).all(axis=1))

    @cached_property
    def _parameters_are_lost(self) -> bool:
        bias = self.problem.bias64
        return not (np.isfinite(self.problem.weight64).all() and not (np.isnan(bias) | (bias == np.inf)).any())


@dataclass(frozen=True, eq=False)
class Answers:
    """Enclosures of what the rows that have a value, or are ignored, come to; penalties included.

    losses: each regular row's own loss as a ball, in order; penalty: what is added to the reduced loss. dX (N, D), of
    which the rows without a value hold anything; dW (D, K) and db (K,): sums over the other rows.
    """

    losses: list[arb]
    penalty: arb
    dX: Enclosures
    dW: Enclosures
    db: Enclosures


def is_narrow_beside(values: Enclosures, sizes: Array, fmt: Format) -> bool:
    """Whether every enclosure is narrower than 2^-20 u times these sizes, or than 2^-20 of the smallest number.

    Not where a size is beyond float64.
    """
    known = np.where(np.isfinite(sizes), sizes, 0.0)
    room = (fmt.unit_roundoff * known + fmt.smallest_subnormal) * 2.0**-WIDTH_BITS
    with np.errstate(over="ignore", under="ignore"):
        return bool((ldexp(values.radius, values.exponent) <= room).all())
