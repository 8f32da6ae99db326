"""Loss and gradient of a large problem in double-double arithmetic; what that cannot decide goes to ball arithmetic.

Undecided are rows with a logit, coefficient or probability outside the limits of the proofs, and rows where an entry
A p_j - t_j cancels so far that its enclosure is not narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from flint import arb, ctx

from gradlab.oracle.exact.balls import RowAnswers, answer_rows
from gradlab.oracle.exact.canonical import class_coefficients, gradient_share, row_kinds
from gradlab.oracle.exact.conversion import to_enclosures
from gradlab.oracle.fast.row_softmax import ROW_BLOCK_ENTRIES, exponentials
from gradlab.oracle.fast.sharp_targets import SharpRows, sharp_answer
from gradlab.oracle.fast.soft_targets import (
    LARGEST_LOGIT,
    PROBABILITY_LIMITS,
    class_pairs,
    probability_rows,
    smoothed_labels,
    soft_answer,
)
from gradlab.oracle.intervals import Array, Enclosures, fill, unwritten
from gradlab.oracle.ulp import is_narrow
from gradlab.problems.problem import Problem

_ROW_PRECISION = 320  # bits of the few balls per row: far more than the pairs hold
_SHARP_LARGEST_LOGIT = 2.0**1020  # x_j - max x and its error are then finite

BlockSolver = Callable[[Array, Enclosures], list[arb]]


def answer_by_double_double(problem: Problem, rows: Array) -> RowAnswers:
    """Narrow enclosures for the given rows, which must be regular or of infinite loss; as `balls.answer_rows`.

    It does so where the objective is one of coefficients alone; with logit maps, row terms or factors of rows all is
    left to the balls.
    """
    if problem.objective.real_options or problem.objective.per_row_options:
        return answer_rows(problem, rows)
    with ctx.workprec(_ROW_PRECISION):
        soft = problem.objective.targets == "probability" or problem.objective.label_smoothing > 0
        solve, able = _soft(problem, rows) if soft else _sharp(problem, rows)
        gradient = unwritten((len(rows), problem.n_classes))
        losses = [arb(0)] * len(rows)
        for places in _row_blocks(np.flatnonzero(able), problem.n_classes):
            entries = gradient[places]
            losses[places] = solve(rows[places], entries)
            if not problem.is_finite:
                fill(entries, problem.logits64[rows[places]] == -np.inf, 0.0)
            able[places] = is_narrow(entries, problem.format).all(1)
        answers = RowAnswers(losses, to_enclosures(losses), gradient)
    able &= is_narrow(answers.loss_intervals, problem.format)
    return _complete(problem, rows, answers, np.flatnonzero(~able))


def _complete(problem: Problem, rows: Array, answers: RowAnswers, undecided: Array) -> RowAnswers:
    """The answers with the undecided ones evaluated by balls; undecided: their places in `rows`."""
    if not undecided.size:
        return answers
    exact = answer_rows(problem, rows[undecided])
    for place, loss in zip(undecided.tolist(), exact.losses, strict=True):
        answers.losses[place] = loss
    fill(answers.loss_intervals, undecided, exact.loss_intervals)
    fill(answers.gradient, undecided, exact.gradient)
    return answers


def _row_blocks(places: Array, n_classes: int) -> Iterator[slice]:
    """The places in runs without a gap, each of about ROW_BLOCK_ENTRIES entries."""
    step = max(1, ROW_BLOCK_ENTRIES // n_classes)
    runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1) if places.size else []
    for run in runs:
        for start in range(int(run[0]), int(run[-1]) + 1, step):
            yield slice(start, min(start + step, int(run[-1]) + 1))


def _sharp(problem: Problem, rows: Array) -> tuple[BlockSolver, Array]:
    """What solves a block of rows with labels, and which of the rows the proofs cover."""
    sizes, share = class_coefficients(problem).label, gradient_share(problem)

    def solve(block: Array, out: Enclosures) -> list[arb]:
        logits, labels = problem.logits64[block], problem.targets[block]
        sharp_rows = SharpRows(logits, labels, [sizes[label] for label in labels.tolist()])
        return sharp_answer(exponentials(logits, logits.argmax(1)), sharp_rows, share, out)

    return solve, _sizes(problem, rows) < _SHARP_LARGEST_LOGIT


def _soft(problem: Problem, rows: Array) -> tuple[BlockSolver, Array]:
    """What solves a block of rows with probabilities or smoothed labels, and which of the rows the proofs cover."""
    share = gradient_share(problem)
    classes = class_pairs(problem, share)
    if classes is None:
        return _unsolvable, np.zeros(len(rows), dtype=bool)

    def solve(block: Array, out: Enclosures) -> list[arb]:
        logits, targets = problem.logits64[block], problem.targets[block]
        if targets.ndim == 2:
            soft_rows = probability_rows(logits, targets.astype(np.float64), classes)
        else:
            soft_rows = smoothed_labels(logits, targets, classes)
        return soft_answer(exponentials(logits, logits.argmax(1)), soft_rows, share, out)

    able = _sizes(problem, rows) < LARGEST_LOGIT
    if problem.objective.targets == "probability":
        shares = problem.targets[rows].astype(np.float64)
        inside = (PROBABILITY_LIMITS[0] < shares) & (shares < PROBABILITY_LIMITS[1])
        able &= ((shares == 0) | inside).all(1)
    return solve, able


def _unsolvable(block: Array, out: Enclosures) -> list[arb]:
    del out
    raise AssertionError(f"no row is within the limits, got {len(block)} rows")


def _sizes(problem: Problem, rows: Array) -> Array:
    """The size of the largest finite logit of each row; infinite for a row of infinite loss."""
    logits = problem.logits64
    if problem.is_finite:
        return np.asarray(np.maximum(logits.max(1), -logits.min(1))[rows])
    logits = logits[rows]
    sizes = np.where(logits == -np.inf, 0.0, np.abs(logits)).max(1)
    return np.where(np.isin(rows, row_kinds(problem).infinite), np.inf, sizes)
