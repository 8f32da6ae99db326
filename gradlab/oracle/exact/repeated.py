"""Loss and gradient of rows with few distinct logits: balls for the distinct ones, whatever the number of classes.

m classes at x that the target has no share in are one class at x + log m: exp(x + log m) = m exp(x), so that S and the
loss are the same, and the gradient of the one is m times that of each. The classes that the target has a share in stay
alone. What is left is a row of a few logits, which are balls: the generated complement form takes them like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from flint import arb, ctx

from gradlab.oracle.exact.balls import RowAnswers, double, starting_precision
from gradlab.oracle.exact.canonical import gradient_share
from gradlab.oracle.exact.conversion import to_enclosures
from gradlab.oracle.intervals import Array, Enclosures, unwritten
from gradlab.oracle.ulp import is_narrow
from gradlab.problems.problem import Problem
from gradlab.reference.ball_forms import FORMS

MIN_CLASSES = 512  # below, merging saves less than it costs
MAX_LEVELS = 96  # distinct logits of a row; a ball costs as much as some hundred entries of the other paths
MAX_SHARES = 8  # classes of a row that the target has a share in
_SAMPLE = 256  # entries of a row that are looked at first: most rows are told by them

_complement = FORMS["complement"]


@dataclass(frozen=True, eq=False)
class MergedRow:
    """A row with equal classes merged into groups.

    levels: the logit of each group; counts: how many classes it stands for, at least 1; shares: the coefficient t of
    each of its classes, 0 unless the group is one class alone. groups: the group of each class, shape (K,).
    """

    levels: list[float]
    counts: list[int]
    shares: list[float]
    groups: Array


def merge_rows(problem: Problem, rows: Array) -> list[MergedRow] | None:
    """The given rows with their equal classes merged, or None where that is not possible for all, or not worth it.

    It is where all logits are finite, no option is on and every row has few distinct logits and few targets.
    """
    if problem.n_classes < MIN_CLASSES or problem.objective.options or not problem.is_finite:
        return None
    step = -(-problem.n_classes // _SAMPLE)
    merged = []
    for row in rows.tolist():
        logits, targets = problem.logits64[row], _classes_with_a_share(problem, row)
        if len(np.unique(logits[::step])) > MAX_LEVELS or len(targets) > MAX_SHARES:
            return None
        levels = np.unique(logits)
        if len(levels) > MAX_LEVELS:
            return None
        merged.append(_merge(logits, levels, targets))
    return merged


def answer_merged(problem: Problem, merged: list[MergedRow]) -> RowAnswers:
    """Narrow enclosures for rows of the problem, in their order; as `balls.answer_rows`."""
    answers = [_answer(problem, row) for row in merged]
    gradient = unwritten((len(merged), problem.n_classes))
    for place, (row, (_, entries)) in enumerate(zip(merged, answers, strict=True)):
        for name in ("high", "low", "radius", "exponent"):
            np.take(getattr(entries, name), row.groups, out=getattr(gradient, name)[place])
    losses = [loss for loss, _ in answers]
    return RowAnswers(losses, to_enclosures(losses), gradient)


def _classes_with_a_share(problem: Problem, row: int) -> dict[int, float]:
    """The coefficients that are not 0, by class."""
    if problem.objective.targets == "index":
        return {int(problem.targets[row]): 1.0}
    shares = problem.targets[row].astype(np.float64)
    return {int(place): float(shares[place]) for place in np.flatnonzero(shares)}


def _merge(logits: Array, levels: Array, targets: dict[int, float]) -> MergedRow:
    groups = np.searchsorted(levels, logits)
    counts = np.bincount(groups, minlength=len(levels))
    for number, place in enumerate(targets):
        counts[groups[place]] -= 1
        groups[place] = len(levels) + number
    kept = np.concatenate([counts > 0, np.ones(len(targets), dtype=bool)])
    numbers = np.cumsum(kept) - 1
    alone, left = list(targets), counts > 0
    return MergedRow(
        levels[left].tolist() + logits[alone].tolist(),
        counts[left].tolist() + [1] * len(alone),
        [0.0] * int(left.sum()) + list(targets.values()),
        numbers[groups],
    )


def _answer(problem: Problem, row: MergedRow) -> tuple[arb, Enclosures]:
    """The row's own loss, and the gradient of the reduced objective for one class of each group; narrow."""
    precision = 2 * starting_precision(problem)  # twice, so that a sum or a mean of the losses is narrow too
    while True:
        with ctx.workprec(precision):
            loss, entries = answer_of_groups(row, gradient_share(problem))
            found = to_enclosures([loss, *entries])
        if is_narrow(found, problem.format).all():
            return loss, found[1:]
        precision = double(precision)


def answer_of_groups(row: MergedRow, share: arb) -> tuple[arb, list[arb]]:
    """The row's own loss, and its gradient times the share for one class of each group, at the working precision."""
    images = [arb(level) + arb(count).log() for level, count in zip(row.levels, row.counts, strict=True)]
    loss, gradient = _complement(images, [arb(one) for one in row.shares])
    return loss, [entry * share / count for entry, count in zip(gradient, row.counts, strict=True)]
