"""Large problems of few kinds of rows and of columns, whose truth costs no more than that of the kinds.

logits[i, j] = table[kind of row i, kind of column j], and rows of one kind have one label. Kinds follow each other in
turn, with a period of 13: it divides none of the numbers at which kernels begin again (powers of two, 100, 1000), so
that row i and row i - 1024, or i - 100, are of two kinds and have two answers. The first and the last column stand
alone, with logits near log K: each weighs about as much in the sum as all others together, so that code that leaves
either out is off by as much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.problems.dtypes import Format
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

PERIOD = 13
STEP = 0.25  # between logits; few bits, so that each is exact in every format
MAX_KINDS = 64  # of columns: a problem with more is none of few kinds
FAR = (0.0, 900.0, -900.0)  # float64's exp overflows from 709.8 on, and is 0 from -745.2 down
LABELS = ("spread", "first", "last", "middle")
# Where the labels of the kinds of rows lie if they are spread, in twelfths of the classes: of the first three rows the
# last class, one beyond the half (above 2^16 of 2^17 classes), the first.
SPREAD = (12, 7, 0, 10, 3, 9, 1, 11, 5, 8, 2, 6, 4)


@dataclass(frozen=True)
class Kinds:
    """All that the answers by kind depend on, whatever the number of rows: equal where they are.

    table: the logits, a tuple for each kind of row. counts: how many classes there are of each kind of column; own: the
    kind of the label's column, of each kind of row. in_order: the kinds of columns in order, those that only come again
    left out.
    """

    table: tuple[tuple[float, ...], ...]
    counts: tuple[int, ...]
    own: tuple[int, ...]
    in_order: tuple[int, ...]

    @property
    def n_classes(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, eq=False)
class Pattern:
    """What a problem of few kinds is made of.

    table: the logits in float64, (kinds of rows, kinds of columns). rows, columns: the kind of each, shapes (N,), (K,).
    labels: of each kind of row.
    """

    table: Array
    rows: Array
    columns: Array
    labels: Array

    @cached_property
    def kinds(self) -> Kinds:
        """What it is made of, without the number of rows."""
        counts = np.bincount(self.columns, minlength=self.table.shape[1])
        places = np.concatenate([np.arange(min(2 * PERIOD, len(self.columns))), self._alone()])
        table = tuple(map(tuple, self.table.tolist()))
        own = self.columns[self.labels]
        return Kinds(table, tuple(counts.tolist()), tuple(own.tolist()), tuple(self.columns[places].tolist()))

    def _alone(self) -> Array:
        """The classes beyond two periods that are of no kind that comes in turn."""
        alone = np.flatnonzero(self.columns >= PERIOD)
        return alone[alone >= 2 * PERIOD]


def patterned(fmt: Format, n_rows: int, n_classes: int, labels: str = "spread") -> Problem:
    """A problem of few kinds: the mean over labels that are spread over all classes, or all the same; as its arrays."""
    return Problem(*patterned_arrays(fmt, n_rows, n_classes, labels), Objective(), "sizes")


def patterned_arrays(fmt: Format, n_rows: int, n_classes: int, labels: str = "spread") -> tuple[Array, Array]:
    """The logits (n_rows, n_classes), of at most 2 + log K, and labels (n_rows,) of such a problem; always the same.

    labels: one of LABELS.
    """
    rows, columns = np.arange(n_rows) % PERIOD, np.arange(n_classes) % PERIOD
    table = np.random.default_rng(PERIOD).integers(-7, 8, (PERIOD, PERIOD))[:n_rows] * STEP
    logits = table.astype(fmt.dtype)[:, columns]
    if n_classes > 2 * PERIOD:
        for place in (0, n_classes - 1):
            logits[:, place] = (table[:, columns[place]] / 4 + math.log(n_classes)) // STEP * STEP
    arrays = logits[rows], _labels(n_classes, labels)[rows]
    for array in arrays:
        array.flags.writeable = False  # so that a problem of them, which may be large, is no copy
    return arrays


def rows_far_apart(logits: Array) -> Array:
    """The logits of such a problem, those of two kinds of rows in three moved so far that exp overflows, or is 0."""
    moved = np.resize(FAR, PERIOD)[np.arange(len(logits)) % PERIOD, None].astype(logits.dtype)
    found: Array = logits + moved
    found.flags.writeable = False
    return found


def _labels(n_classes: int, labels: str) -> Array:
    """The label of each kind of row; odd where they are neither the first class nor the last, so that they need all
    their bits.
    """
    if labels != "spread":
        return np.full(PERIOD, {"first": 0, "last": n_classes - 1, "middle": n_classes // 2}[labels])
    last = n_classes - 1
    return np.array([0 if part == 0 else min(part * last // 12 | 1, last) for part in SPREAD])


def pattern_of(problem: Problem) -> Pattern | None:
    """The kinds that a problem is made of, or None where there are too many; compared entry by entry.

    Only labels, or probabilities that are one-hot, of finite logits.
    """
    labels, head = _sharp_labels(problem), problem.logits[:PERIOD]
    if labels is None or not np.isfinite(head.astype(np.float64)).all():
        return None
    if not _repeats(problem.logits) or not _repeats(labels):
        return None
    columns, places = _kinds_of_columns(head)
    if len(places) > MAX_KINDS:
        return None
    rows = np.arange(problem.n_rows) % PERIOD
    return Pattern(head[:, places].astype(np.float64), rows, columns, labels[:PERIOD])


def _sharp_labels(problem: Problem) -> Array | None:
    if problem.objective.targets == "index":
        return problem.targets
    labels = problem.targets.argmax(axis=1)
    alone = np.count_nonzero(problem.targets) == problem.n_rows
    return labels if alone and (problem.targets[np.arange(problem.n_rows), labels] == 1).all() else None


def _repeats(values: Array) -> bool:
    return bool((values[PERIOD:] == values[:-PERIOD]).all())


def _kinds_of_columns(head: Array) -> tuple[Array, Array]:
    """The kind of each column, and for each kind a column of it."""
    n_classes = head.shape[1]
    if n_classes <= 2 * PERIOD:
        return np.arange(n_classes), np.arange(n_classes)
    kinds = (np.arange(n_classes) - 1) % PERIOD
    other = np.flatnonzero((head != head[:, 1 + kinds]).any(axis=0))[:MAX_KINDS]
    kinds[other] = PERIOD + np.arange(len(other))
    return kinds, np.concatenate([1 + np.arange(PERIOD), other])
