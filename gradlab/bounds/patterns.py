"""The bounds of `first_order` for problems of few kinds of rows and columns: the same counts, kind by kind.

No option is on and one class of each row has the whole target, so that A = 1, delta = 0 and t is one-hot. A sum over
classes is one over kinds, each times the number of its classes. How often a running maximum rises after a class is at
most how often it rises in the whole row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradlab.bounds.conditioning import Conditioning
from gradlab.bounds.first_order import rounding_count
from gradlab.bounds.rounding_counts import (
    BETA,
    QUIET,
    base_roundings,
    coefficient_sum_roundings,
    division_roundings,
    divisor,
    gamma,
    sum_roundings,
)
from gradlab.problems.patterns import PERIOD, Pattern
from gradlab.problems.problem import Array, Problem, moderate_limit


@dataclass(frozen=True, eq=False)
class Kinds:
    """The kinds of a pattern as groups of classes, (R, G): those of columns, and last the label's class alone.

    distance: how far below the row's largest logit; counts: of classes, the label's class in its own group only.
    largest: the largest |x| of all, which shifts may be taken from. rises: of a running maximum in each row, (R, 1).
    """

    distance: Array
    counts: Array
    largest: float
    rises: Array

    @property
    def sums(self) -> Array:
        """S = sum exp(d_j) of each row, (R, 1)."""
        return np.asarray((self.counts * np.exp(-self.distance)).sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class KindErrors:
    """The largest errors by kind: of the reduced loss (), of each row's loss (R,), of each entry (R, G)."""

    loss: Array
    losses: Array
    gradient: Array


def kinds_of(pattern: Pattern) -> Kinds:
    """The groups of a pattern."""
    rows = np.arange(len(pattern.table))
    own = pattern.columns[pattern.labels]
    counts = np.tile(np.bincount(pattern.columns, minlength=pattern.table.shape[1]), (len(rows), 1))
    counts[rows, own] -= 1
    logits = np.concatenate([pattern.table, pattern.table[rows, own][:, None]], axis=1)
    counts = np.concatenate([counts, np.ones((len(rows), 1), dtype=counts.dtype)], axis=1)
    distance = logits.max(axis=1, keepdims=True) - logits
    return Kinds(distance, counts, float(np.abs(logits).max()), _rises(pattern))


def _rises(pattern: Pattern) -> Array:
    """How often a running maximum rises in a row of each kind, (R, 1): beyond two periods only at what stands alone."""
    first = np.arange(len(pattern.columns)) < 2 * PERIOD
    places = pattern.columns[first | (pattern.columns >= PERIOD)]
    highest = np.maximum.accumulate(pattern.table[:, places], axis=1)
    rises: Array = np.count_nonzero(highest[:, 1:] > highest[:, :-1], axis=1)[:, None]
    return rises.astype(np.float64)


@QUIET
def errors_of_kinds(problem: Problem, pattern: Pattern) -> KindErrors:
    """The largest errors that any correct form can have on moderate logits, the shifted algorithm elsewhere.

    As `first_order.gradient`, `losses` and `loss`; not less than those, and more by no more than what the rises are.
    """
    kinds = kinds_of(pattern)
    k, more = _roundings(problem, kinds), _unshifted(problem, kinds)
    losses = _loss_errors(problem, kinds, k + more.loss[:, None])
    n = np.bincount(pattern.rows, minlength=len(losses))
    gradient = _entry_errors(problem, kinds, k + more.gradient[:, None])
    return KindErrors(_reduced(problem, kinds, n, losses), losses, gradient)


def _roundings(problem: Problem, kinds: Kinds) -> Array:
    """k_j of `first_order.rounding_count` for each group."""
    sums = kinds.sums
    shares = kinds.counts * np.exp(-kinds.distance) / sums
    log_sum, none = np.log(sums[:, 0]), np.zeros(())
    label = np.zeros(shares.shape)
    label[:, -1] = 1.0
    sizes = Conditioning(
        shares, kinds.distance, kinds.rises, label, log_sum, none, np.ones(len(log_sum)), none, none, none, none, none
    )
    return np.asarray(rounding_count(problem, sizes, sum_roundings))


@dataclass(frozen=True, eq=False)
class _Unshifted:
    """What the forms without a shift carry more, of the loss and of an entry, (R,)."""

    loss: Array
    gradient: Array


def _unshifted(problem: Problem, kinds: Kinds) -> _Unshifted:
    """As `first_order.any_form_losses` and `any_form_gradient`; nothing where the logits are not moderate."""
    log_sum, base = np.log(kinds.sums[:, 0]), base_roundings(problem.format)
    if kinds.largest > moderate_limit(problem.format, problem.n_classes):
        return _Unshifted(0 * log_sum, 0 * log_sum)
    terms, each = coefficient_sum_roundings(problem), 2 * BETA + base + 1
    of_loss = each + (terms + 2 if terms else 0.0)
    gradient = each * (kinds.largest + log_sum) + base * kinds.largest
    return _Unshifted(of_loss * (2 * kinds.largest + log_sum), gradient)


def _entry_errors(problem: Problem, kinds: Kinds, k: Array) -> Array:
    """As `first_order.forward_gradient`: gamma(k + n + 5) p + gamma(4) |g|, at the label the others' too."""
    fmt, last = problem.format, 1 + division_roundings(problem)
    p = np.exp(-kinds.distance) / kinds.sums
    label = np.zeros(p.shape)
    label[:, -1] = 1.0
    error = gamma(k + 1 + coefficient_sum_roundings(problem) + last, fmt) * p + gamma(last, fmt) * np.abs(p - label)
    others = kinds.counts * gamma(k + sum_roundings(problem.n_classes, fmt) + 2 + last, fmt) * p
    error[:, -1] += others[:, :-1].sum(axis=1)
    underflow = (BETA + 1) * (1 + problem.n_classes * label) + 1
    return np.asarray((error + underflow * fmt.smallest_subnormal) / divisor(problem) + 2 * fmt.smallest_subnormal)


def _loss_errors(problem: Problem, kinds: Kinds, k: Array) -> Array:
    """As `first_order.forward_losses`, of each kind of row."""
    fmt, last = problem.format, 2 * BETA + 2 + coefficient_sum_roundings(problem)
    underflow = ((BETA + 1) * 2 + problem.n_classes) * fmt.smallest_subnormal
    return np.asarray(gamma(k[:, -1] + last, fmt) + gamma(last, fmt) * losses_of(kinds) + underflow)


def losses_of(kinds: Kinds) -> Array:
    """The loss of each kind of row in float64, which needs no certified digits here; (R,)."""
    return np.asarray(np.log(kinds.sums[:, 0]) + kinds.distance[:, -1])


def _reduced(problem: Problem, kinds: Kinds, n: Array, losses: Array) -> Array:
    """As `first_order.reduced_loss`; n: how many rows there are of each kind."""
    if problem.objective.reduction == "none":
        return np.asarray(losses[0])
    fmt, scale = problem.format, divisor(problem)
    growth = gamma(sum_roundings(problem.n_rows, fmt) + division_roundings(problem), fmt)
    total = min(float((n * losses_of(kinds)).sum() / scale), fmt.largest)
    error = (1 + growth) * float((n * losses).sum()) / scale + growth * total + 2 * fmt.smallest_subnormal
    return np.asarray(np.nan_to_num(error, nan=np.inf, posinf=np.inf))


def flushed_kinds(problem: Problem) -> float:
    """What flushing subnormals to 0 can cost loss or gradient, as `first_order.flush_error`."""
    return problem.format.smallest_normal * ((problem.n_classes + 3) / divisor(problem) + 1)
