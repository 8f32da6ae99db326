"""Rows that come again: where many rows have the same logits and the same target, each is answered once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradlab.oracle.exact.balls import RowAnswers
from gradlab.oracle.intervals import Array
from gradlab.problems.problem import Problem

MIN_ROWS = 256  # below, looking for them costs as much as it saves
MAX_BYTES = 1 << 22  # of the logits: beyond, comparing them costs more than a look at a few rows

Solver = Callable[[Problem, Array], RowAnswers]


@dataclass(frozen=True, eq=False)
class EqualRows:
    """The first of each kind of rows, and of each row the place of its kind among those."""

    first: Array
    kinds: Array


def answer_each_kind_once(problem: Problem, rows: Array, solve: Solver) -> RowAnswers:
    """What `solve` answers for these rows, in their order; each kind of rows is given to it once."""
    equal = equal_rows(problem, rows)
    if equal is None:
        return solve(problem, rows)
    found = solve(problem, equal.first)
    losses = [found.losses[kind] for kind in equal.kinds.tolist()]
    return RowAnswers(losses, found.loss_intervals[equal.kinds], found.gradient[equal.kinds])


def equal_rows(problem: Problem, rows: Array) -> EqualRows | None:
    """The kinds of the given rows, compared bit by bit; None where fewer than half come again, or a look costs much.

    Rows are of one kind if nothing tells their answers apart: no option may be of single rows.
    """
    if len(rows) < MIN_ROWS or problem.logits.nbytes > MAX_BYTES or problem.objective.per_row_options:
        return None
    arrays = (problem.logits[rows], problem.targets[rows])
    content = [np.ascontiguousarray(array).reshape(len(rows), -1).view(np.uint8) for array in arrays]
    both = np.concatenate(content, axis=1)
    numbers: dict[bytes, int] = {}
    kinds = np.array([numbers.setdefault(row, len(numbers)) for row in both.view(f"V{both.shape[1]}").ravel().tolist()])
    if 2 * len(numbers) > len(rows):
        return None
    return EqualRows(rows[np.unique(kinds, return_index=True)[1]], kinds)
