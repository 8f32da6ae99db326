"""The bounds of `first_order` for problems of few kinds of rows and columns: the same counts, kind by kind.

No option is on and one class of each row has the whole target, so that A = 1, delta = 0 and t is one-hot. A sum over
classes is one over kinds, each times the number of its classes. How often a running maximum rises after a class is at
most how often it rises in the whole row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradlab.bounds.conditioning import Conditioning
from gradlab.bounds.first_order import roundings
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
from gradlab.problems.dtypes import Format
from gradlab.problems.patterns import Kinds, Pattern
from gradlab.problems.problem import Array, Problem, moderate_limit


@dataclass(frozen=True, eq=False)
class Groups:
    """The classes of each kind of row in groups, (R, G): those of a kind of column, and last the label's class alone.

    distance: how far below the row's largest logit; counts: of classes, the label's class in its own group only.
    largest: the largest |x| of all, which shifts may be taken from. rises: of a running maximum in each row, (R, 1).
    log_sum: log S = log sum exp(d_j) of each row, and sums: S, (R, 1).
    """

    distance: Array
    counts: Array
    largest: float
    rises: Array
    sums: Array
    log_sum: Array

    @property
    def losses(self) -> Array:
        """The loss of each kind of row in float64, which needs no certified digits here; (R,)."""
        return np.asarray(self.log_sum + self.distance[:, -1])

    @property
    def probabilities(self) -> Array:
        """p_j of a class of each group."""
        return np.asarray(np.exp(-self.distance) / self.sums)


@dataclass(frozen=True)
class _Setting:
    """What else the errors depend on: the format, and what a sum of coefficients and a division carry."""

    fmt: Format
    of_coefficients: float
    of_division: float


@dataclass(frozen=True, eq=False)
class _RowErrors:
    """The largest errors by kind before a reduction: of the losses (R,), of the entries (R, G); and the losses."""

    errors: Array
    entries: Array
    losses: Array


@dataclass(frozen=True, eq=False)
class KindErrors:
    """The largest errors by kind: of the reduced loss (), of each row's loss (R,), of each entry (R, G)."""

    loss: Array
    losses: Array
    gradient: Array


@QUIET
def errors_of_kinds(problem: Problem, pattern: Pattern) -> KindErrors:
    """The largest errors that any correct form can have on moderate logits, the shifted algorithm elsewhere.

    As `first_order.gradient`, `losses` and `loss`; not less than those, and more by no more than what the rises are.
    """
    setting = _Setting(problem.format, coefficient_sum_roundings(problem), division_roundings(problem))
    rows = _row_errors(pattern.kinds, setting)
    n = np.bincount(pattern.rows, minlength=len(rows.errors))
    gradient = rows.entries / divisor(problem) + 2 * problem.format.smallest_subnormal
    return KindErrors(_reduced(problem, n, rows), rows.errors, np.asarray(gradient))


@lru_cache(maxsize=512)  # the same kinds come with several numbers of rows
def _row_errors(kinds: Kinds, setting: _Setting) -> _RowErrors:
    """The errors before a reduction."""
    groups = groups_of(kinds)
    k, more = _roundings(kinds, setting, groups), _unshifted(kinds, setting, groups)
    errors = _loss_errors(kinds, setting, groups, k + more.loss[:, None])
    return _RowErrors(errors, _entry_errors(kinds, setting, groups, k + more.gradient[:, None]), groups.losses)


@lru_cache(maxsize=512)  # of two formats
def groups_of(kinds: Kinds) -> Groups:
    """The groups of these kinds."""
    table, own = np.array(kinds.table), list(kinds.own)
    rows = np.arange(len(table))
    counts = np.tile(np.array(kinds.counts), (len(rows), 1))
    counts[rows, own] -= 1
    logits = np.concatenate([table, table[rows, own][:, None]], axis=1)
    counts = np.concatenate([counts, np.ones((len(rows), 1), dtype=counts.dtype)], axis=1)
    distance = logits.max(axis=1, keepdims=True) - logits
    sums = np.asarray((counts * np.exp(-distance)).sum(axis=1, keepdims=True))
    largest = float(np.abs(logits).max())
    return Groups(distance, counts, largest, _rises(table[:, list(kinds.in_order)]), sums, np.log(sums[:, 0]))


def _rises(logits: Array) -> Array:
    """How often a running maximum rises in each row, (R, 1)."""
    highest = np.maximum.accumulate(logits, axis=1)
    rises: Array = np.count_nonzero(highest[:, 1:] > highest[:, :-1], axis=1)[:, None]
    return rises.astype(np.float64)


def _roundings(kinds: Kinds, setting: _Setting, groups: Groups) -> Array:
    """k_j of `first_order.rounding_count` for each group."""
    shares = groups.counts * np.exp(-groups.distance) / groups.sums
    log_sum, none, label = groups.log_sum, np.zeros(()), _at_label(groups)
    ones = np.ones(len(log_sum))
    rows = (shares, groups.distance, groups.rises, label, log_sum, none, ones)
    sizes = Conditioning(*rows, none, none, none, none, none)
    return roundings(setting.fmt, kinds.n_classes, sizes, sum_roundings)


def _at_label(groups: Groups) -> Array:
    """1 at the group of the label's class, else 0."""
    label = np.zeros(groups.distance.shape)
    label[:, -1] = 1.0
    return label


@dataclass(frozen=True, eq=False)
class _Unshifted:
    """What the forms without a shift carry more, of the loss and of an entry, (R,)."""

    loss: Array
    gradient: Array


def _unshifted(kinds: Kinds, setting: _Setting, groups: Groups) -> _Unshifted:
    """As `first_order.any_form_losses` and `any_form_gradient`; nothing where the logits are not moderate."""
    log_sum, base = groups.log_sum, base_roundings(setting.fmt)
    if groups.largest > moderate_limit(setting.fmt, kinds.n_classes):
        return _Unshifted(0 * log_sum, 0 * log_sum)
    terms, each = setting.of_coefficients, 2 * BETA + base + 1
    of_loss = each + (terms + 2 if terms else 0.0)
    gradient = each * (groups.largest + log_sum) + base * groups.largest
    return _Unshifted(of_loss * (2 * groups.largest + log_sum), gradient)


def _entry_errors(kinds: Kinds, setting: _Setting, groups: Groups, k: Array) -> Array:
    """As `first_order.forward_gradient`: gamma(k + n + 5) p + gamma(4) |g|, at the label the others' too."""
    fmt, last, n_classes = setting.fmt, 1 + setting.of_division, kinds.n_classes
    p, label = groups.probabilities, _at_label(groups)
    error = gamma(k + 1 + setting.of_coefficients + last, fmt) * p + gamma(last, fmt) * np.abs(p - label)
    others = groups.counts * gamma(k + sum_roundings(n_classes, fmt) + 2 + last, fmt) * p
    error[:, -1] += others[:, :-1].sum(axis=1)
    underflow = (BETA + 1) * (1 + n_classes * label) + 1
    return np.asarray(error + underflow * fmt.smallest_subnormal)


def _loss_errors(kinds: Kinds, setting: _Setting, groups: Groups, k: Array) -> Array:
    """As `first_order.forward_losses`, of each kind of row."""
    fmt, last = setting.fmt, 2 * BETA + 2 + setting.of_coefficients
    underflow = ((BETA + 1) * 2 + kinds.n_classes) * fmt.smallest_subnormal
    return np.asarray(gamma(k[:, -1] + last, fmt) + gamma(last, fmt) * groups.losses + underflow)


def _reduced(problem: Problem, n: Array, rows: _RowErrors) -> Array:
    """As `first_order.reduced_loss`; n: how many rows there are of each kind."""
    if problem.objective.reduction == "none":
        return np.asarray(rows.errors[0])
    fmt, scale = problem.format, divisor(problem)
    growth = gamma(sum_roundings(problem.n_rows, fmt) + division_roundings(problem), fmt)
    total = min(float((n * rows.losses).sum() / scale), fmt.largest)
    error = (1 + growth) * float((n * rows.errors).sum()) / scale + growth * total + 2 * fmt.smallest_subnormal
    return np.asarray(np.nan_to_num(error, nan=np.inf, posinf=np.inf))


def flushed_kinds(problem: Problem) -> float:
    """What flushing subnormals to 0 can cost loss or gradient, as `first_order.flush_error`."""
    return problem.format.smallest_normal * ((problem.n_classes + 3) / divisor(problem) + 1)
