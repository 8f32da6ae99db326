"""The truth of a problem of few kinds of rows and columns: each kind of row enclosed once, however many there are.

Equal classes of a row are merged as in `repeated`; equal rows have equal losses, so that n of them add n times one to
the sum, and the reduction is the generated one.
"""

from __future__ import annotations

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
from gradlab.problems.patterns import Pattern
from gradlab.problems.problem import Problem
from gradlab.reference.ball_forms import REDUCTIONS

_PRECISION = 128  # bits to begin with
_WIDEST = format_of("float64")  # narrow in that, so that the nearest float64 is within its rounding of the truth


@dataclass(frozen=True, eq=False)
class KindTruth:
    """The exact answers by kind, enclosed; narrow in float64, whatever the format of the problem.

    loss: the reduced loss, shape (), and without a reduction that of the first row. losses: of each kind of row before
    the reduction, (R,). gradient: of the reduced objective, an entry for each kind of row and of column that is not the
    label's, and last the label's, (R, C + 1).
    """

    loss: Enclosures
    losses: Enclosures
    gradient: Enclosures


def enclose_kinds(problem: Problem, pattern: Pattern) -> KindTruth:
    """The truth of a problem of few kinds without options. Raises ArithmeticError where no enclosure is narrow."""
    precision = _PRECISION
    while True:
        with ctx.workprec(precision):
            truth = _enclosed(problem, pattern)
        parts = (truth.loss, truth.losses, truth.gradient)
        if all(is_narrow(part, _WIDEST).all() for part in parts):
            return truth
        precision = double(precision)


def column_counts(pattern: Pattern, kind: int) -> Array:
    """How many classes there are of each kind of column in a row of this kind, the label's class not counted; (C,)."""
    counts = np.bincount(pattern.columns, minlength=pattern.table.shape[1])
    counts[pattern.columns[pattern.labels[kind]]] -= 1
    return counts


def _enclosed(problem: Problem, pattern: Pattern) -> KindTruth:
    """The truth at the working precision."""
    reduce, kinds = REDUCTIONS[problem.objective.reduction], range(len(pattern.table))
    share = arb(reduce([], [arb(problem.n_rows)])[1])
    answers = [_answer(pattern, kind, share) for kind in kinds]
    losses = [loss for loss, _ in answers]
    counts = np.bincount(pattern.rows, minlength=len(losses)).tolist()
    weighted = [count * loss for count, loss in zip(counts, losses, strict=True)]
    total = losses[0] if problem.objective.reduction == "none" else arb(reduce(weighted, [arb(problem.n_rows)])[0])
    found = to_enclosures([total, *losses, *(entry for _, entries in answers for entry in entries)])
    gradient = found[1 + len(losses) :]
    parts = (gradient.high, gradient.low, gradient.radius, gradient.exponent)
    shaped = Enclosures(*(part.reshape(len(losses), -1) for part in parts))
    return KindTruth(found[0], found[1 : 1 + len(losses)], shaped)


def _answer(pattern: Pattern, kind: int, share: arb) -> tuple[arb, list[arb]]:
    """The loss of a kind of row, and its entries by kind of column; 0 for one that only the label's class is of."""
    counts, label = column_counts(pattern, kind), int(pattern.labels[kind])
    present = np.flatnonzero(counts)
    levels = (*pattern.table[kind, present].tolist(), float(pattern.table[kind, pattern.columns[label]]))
    loss, whole = _unshared(levels, (*counts[present].tolist(), 1), ctx.prec)
    entries = [entry * share for entry in whole]
    own = dict(zip(present.tolist(), entries, strict=False))
    return loss, [*(own.get(place, arb(0)) for place in range(len(counts))), entries[-1]]


@lru_cache(maxsize=1024)  # half of a run's kinds of rows come in several shapes
def _unshared(levels: tuple[float, ...], counts: tuple[int, ...], precision: int) -> tuple[arb, list[arb]]:
    """Loss and entries of a row by its groups, the last of them the label's class, before any reduction."""
    shares = [0.0] * (len(levels) - 1) + [1.0]
    return answer_of_groups(MergedRow(list(levels), list(counts), shares, np.arange(len(levels))), arb(1))
