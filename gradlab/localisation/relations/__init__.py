"""What comes out instead of the truth, told by what foretells every wrong answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import numpy as np

from gradlab.localisation.relations.candidates import gradients, losses, row_losses_counted
from gradlab.localisation.relations.relation import Relation
from gradlab.localisation.trial import Outcome
from gradlab.problems.problem import Array

MIN_FORETOLD = 0.98  # of the wrong answers, that a relation must foretell
ROOM = 2.0  # times the bound: that of the answer, and as much for the prediction
MAX_HELD = 60  # wrong answers that a relation is held to
MAX_ENTRIES = 1 << 17  # of these in all
MAX_LARGE = 8  # more of them, of different shapes
MIN_WRONG = 2  # wrong answers that tell a relation


def relation_of_gradient(wrong: Sequence[Outcome], more: Iterable[Relation] = ()) -> Relation | None:
    """What the wrong rows of the gradient are; None where that is nothing that is known.

    more: relations that are tried before all others: that known so far, and what experiments suggest.
    """
    some = _smallest(one for one in wrong if not one.raised and one.wrong_entries.any())
    if len(some) < MIN_WRONG:
        return None
    found = (one for one in chain(more, gradients(some)) if _predicts(one, some, _matches_rows))
    return next(found, None)


def relation_of_loss(wrong: Sequence[Outcome], more: Iterable[Relation] = ()) -> Relation | None:
    """What the wrong losses are; None where that is nothing that is known. more: as for the gradient."""
    some = _smallest(one for one in wrong if not one.raised and one.wrong_loss)
    if len(some) < MIN_WRONG:
        return None
    return next((one for one in chain(more, losses(some)) if _predicts(one, some, _matches_loss)), None)


def relation_of_row_losses(wrong: Sequence[Outcome], rows_of: Callable[[Outcome], Array]) -> Relation | None:
    """How often the losses of these rows count; None where there is no such number."""
    some = _smallest(one for one in wrong if not one.raised and one.wrong_loss and not one.seen.loss.ndim)
    if len(some) < MIN_WRONG:
        return None
    return next((one for one in row_losses_counted(some, rows_of) if _predicts(one, some, _matches_loss)), None)


def shows_in_rows(relation: Relation, outcome: Outcome) -> Array:
    """In which rows of a gradient a relation could be seen, boolean, (N,)."""
    true, bound = outcome.seen.true_gradient, outcome.seen.gradient_bound
    with np.errstate(all="ignore"):
        predicted = relation.predict(outcome)
        own = 2 * relation.off_by(outcome) * np.abs(predicted) if callable(relation.coarse) else 0.0
        off = ~(np.abs(predicted - true) <= 2 * ROOM * bound + own) & np.isfinite(true)
    off &= outcome.problem.rows_with_value[:, None] | np.isfinite(predicted)  # NaN is accepted in the others
    return np.asarray(off.any(axis=1))


def shows_in_loss(relation: Relation, outcome: Outcome) -> bool:
    """Whether it could be seen in the loss."""
    true, bound = outcome.seen.true_loss, outcome.seen.loss_bound
    with np.errstate(all="ignore"):
        own = 4 * relation.off_by(outcome).max(initial=0.0) if callable(relation.coarse) else 0.0
        off = ~(np.abs(relation.predict(outcome) - true) <= 2 * ROOM * bound + own) & np.isfinite(true)
    return bool(off.any())


def _smallest(some: Iterable[Outcome]) -> list[Outcome]:
    """The smallest of the outcomes, so that what does not match is found out soonest; few of large ones."""
    found = sorted(some, key=lambda one: one.problem.logits.size)[:MAX_HELD]
    entries = np.cumsum([one.problem.logits.size for one in found])
    few = int((entries <= MAX_ENTRIES).sum())
    of_other_shapes = {one.problem.logits.shape: one for one in found[few:]}  # one of each
    return [*found[:few], *list(of_other_shapes.values())[:MAX_LARGE]]


def _predicts(relation: Relation, some: Sequence[Outcome], matches: Callable[[Relation, Outcome], bool]) -> bool:
    allowed = int((1 - min(MIN_FORETOLD, relation.matched)) * len(some))
    for one in some:
        allowed -= not matches(relation, one)
        if allowed < 0:
            return False
    return True


def _matches_rows(relation: Relation, outcome: Outcome) -> bool:
    rows, seen = outcome.wrong_rows, outcome.seen
    with np.errstate(all="ignore"):
        predicted, off = relation.predict(outcome), relation.off_by(outcome)
        own = _prediction_room(outcome, predicted, off)
        near = _near(
            seen.gradient[rows], predicted[rows], seen.gradient_bound[rows], seen.true_gradient[rows], own[rows]
        )
    return bool(near.all() if relation.matched == 1 else near.mean() >= relation.matched)


def _matches_loss(relation: Relation, outcome: Outcome) -> bool:
    seen = outcome.seen
    with np.errstate(all="ignore"):
        predicted, off = relation.predict(outcome), relation.off_by(outcome)
        off = off.ravel() if seen.loss.ndim and off.ndim else off.max(initial=0.0)
        own = _prediction_room(outcome, predicted, off)
        if callable(relation.coarse):
            own = own + 2 * off  # of log p
        return bool(_near(seen.loss, predicted, seen.loss_bound, seen.true_loss, own).all())


def _prediction_room(outcome: Outcome, predicted: Array, off: Array) -> Array:
    """How far the prediction may be off itself: its rounding, and that of what it is rounded to."""
    return np.asarray(np.nan_to_num((8 * outcome.problem.format.unit_roundoff + 2 * off) * np.abs(predicted)))


def _near(found: Array, predicted: Array, bound: Array, true: Array, own: Array) -> Array:
    """Within twice the bound, which grows as the prediction does beside the truth, and the prediction's own room."""
    largest, grown, allowed = (_finite_max(values) for values in (true, predicted, bound))
    factor = max(1.0, grown / largest) if largest else 1.0
    room = ROOM * factor * allowed + own
    return np.asarray(
        (np.abs(found - predicted) <= room) | (found == predicted) | (np.isnan(found) & np.isnan(predicted))
    )


def _finite_max(values: Array) -> float:
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
