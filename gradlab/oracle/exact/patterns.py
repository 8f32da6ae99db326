"""The truth of a problem of few kinds of rows and columns: each kind of row enclosed once, however many there are.

Equal classes of a row are merged as in `repeated`; equal rows have equal losses, so that n of them add n times one to
the sum, and the reduction is the generated one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from flint import arb, ctx

from gradlab.oracle.exact.balls import double
from gradlab.oracle.exact.conversion import to_enclosures
from gradlab.oracle.exact.repeated import MergedRow, answer_of_groups
from gradlab.oracle.intervals import Array, Enclosures
from gradlab.oracle.ulp import is_narrow
from gradlab.problems.dtypes import format_of
from gradlab.problems.patterns import Kinds, Pattern
from gradlab.problems.problem import Problem
from gradlab.reference.ball_forms import REDUCTIONS

_PRECISION = 128  # bits to begin with
_WIDEST = format_of("float64")  # narrow in that, so that the nearest float64 is within its rounding of the truth
_ACCURATE_BITS = 80  # of an entry before the reduction: with one product more it is narrow in float64, 2^-73


@dataclass(frozen=True, eq=False)
class _Rows:
    """The kinds of rows before any reduction, at a precision in bits at which all of it is narrow in float64.

    losses: a ball each, and loss_intervals the same, (R,). entries: for each kind of row a ball of each kind of column
    that is not the label's, 0 for one that only the label's class is of, and last the label's, C + 1 of them.
    """

    precision: int
    losses: list[arb]
    loss_intervals: Enclosures
    entries: list[list[arb]]


@dataclass(frozen=True, eq=False)
class KindTruth:
    """The exact answers by kind; what is enclosed is narrow in float64, whatever the format of the problem.

    loss: the reduced loss, shape (), and without a reduction that of the first row. losses: of each kind of row before
    the reduction, (R,). gradient: the float64 nearest to each entry of the reduced objective's, one for each kind of
    row and of column that is not the label's, and last the label's, (R, C + 1); share: what the reduction multiplies
    the rows' entries by.
    """

    loss: Enclosures
    losses: Enclosures
    gradient: Array
    rows: _Rows
    share: arb

    def entry(self, kind: int, group: int) -> Enclosures:
        """An entry of the gradient, enclosed, shape ()."""
        with ctx.workprec(self.rows.precision):
            return to_enclosures([self.rows.entries[kind][group] * self.share])[0]


def enclose_kinds(problem: Problem, pattern: Pattern) -> KindTruth:
    """The truth of a problem of few kinds without options. Raises ArithmeticError where no enclosure is narrow."""
    precision = _PRECISION
    while True:
        rows = _rows(pattern.kinds, precision)
        with ctx.workprec(rows.precision):
            truth = _reduced(problem, pattern, rows)
        if is_narrow(truth.loss, _WIDEST).all():
            return truth
        precision = double(rows.precision)


def _reduced(problem: Problem, pattern: Pattern, rows: _Rows) -> KindTruth:
    """The truth, at the working precision of the rows."""
    reduce, numbers = REDUCTIONS[problem.objective.reduction], [arb(problem.n_rows)]
    share = arb(reduce([], numbers)[1])
    total = rows.losses[0]
    if problem.objective.reduction != "none":
        counts = np.bincount(pattern.rows, minlength=len(rows.losses)).tolist()
        weighted = [count * loss for count, loss in zip(counts, rows.losses, strict=True)]
        total = arb(reduce(weighted, numbers)[0])
    nearest = np.array([[float(entry * share) for entry in row] for row in rows.entries])
    return KindTruth(to_enclosures([total])[0], rows.loss_intervals, nearest, rows, share)


@lru_cache(maxsize=512)  # each comes with several numbers of rows, in both dtypes
def _rows(kinds: Kinds, precision: int) -> _Rows:
    """The kinds of rows at this precision, or at the first beyond it at which they are narrow."""
    while True:
        answers = [_answer(kinds, row, precision) for row in range(len(kinds.table))]
        losses = [loss for loss, _ in answers]
        with ctx.workprec(precision):
            intervals = to_enclosures(losses)
        if is_narrow(intervals, _WIDEST).all() and all(_are_accurate(entries) for _, entries in answers):
            return _Rows(precision, losses, intervals, [entries for _, entries in answers])
        precision = double(precision)


def _are_accurate(entries: Sequence[arb]) -> bool:
    return all(entry.is_zero() or entry.rel_accuracy_bits() >= _ACCURATE_BITS for entry in entries)


def _answer(kinds: Kinds, row: int, precision: int) -> tuple[arb, list[arb]]:
    """The loss of a kind of row, and its entries by kind of column; 0 for one that only the label's class is of."""
    levels, own = kinds.table[row], kinds.own[row]
    counts = [count - (place == own) for place, count in enumerate(kinds.counts)]
    present = [place for place, count in enumerate(counts) if count]
    groups = (*(levels[place] for place in present), levels[own])
    loss, entries = _unshared(groups, (*(counts[place] for place in present), 1), precision)
    of_kind = dict(zip(present, entries, strict=False))
    return loss, [*(of_kind.get(place, arb(0)) for place in range(len(counts))), entries[-1]]


@lru_cache(maxsize=1024)  # half of a run's kinds of rows come in several shapes
def _unshared(levels: tuple[float, ...], counts: tuple[int, ...], precision: int) -> tuple[arb, list[arb]]:
    """Loss and entries of a row by its groups, the last of them the label's class, before any reduction."""
    shares = [0.0] * (len(levels) - 1) + [1.0]
    with ctx.workprec(precision):
        return answer_of_groups(MergedRow(list(levels), list(counts), shares, np.arange(len(levels))), arb(1))
