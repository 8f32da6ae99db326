"""What comes out instead of the truth, told by what foretells every wrong answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from gradlab.localisation.relations.candidates import gradients, losses, row_losses_counted
from gradlab.localisation.relations.relation import Relation
from gradlab.localisation.trial import Outcome
from gradlab.localisation.work import MAX_STEPS, Work
from gradlab.problems.problem import Array

MIN_FORETOLD = 0.98  # of the wrong answers, that a relation must foretell
ROOM = 2.0  # times the bound: that of the answer, and as much for the prediction
MAX_HELD = 60  # wrong answers that a relation is held to
MAX_ENTRIES = 1 << 17  # of these in all
MAX_LARGE = 8  # more of them, of different shapes
MAX_RIGHT = 60  # right answers in which a relation should not show
MAX_COMPARED = 1 << 22  # entries, of the smallest wrong answer again for each relation, in one search
SHARE_IN_VAIN = 0.2  # of the work of a localisation, for one search in which no relation foretells all
SHARE_AT_FIRST = 0.06  # the same, before it is known where the answers are wrong
SHARE_AFTER_FIRST = 0.1  # of the work of a localisation, for a relation that shows in no right answer either
MIN_WRONG = 2  # wrong answers that tell a relation
MIN_MODERATE = 6  # of moderate logits, that tell one on these alone


@dataclass(frozen=True)
class Tried:
    """Relations, by their words, that did not foretell what came out, of all logits and of moderate ones alone.

    share: of the work of a localisation, that a search for another one may take in vain. work: what is done in all.
    """

    gradients: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    losses: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    share: float = SHARE_IN_VAIN
    work: Work = field(default_factory=Work)


def relation_of_gradient(
    wrong: Sequence[Outcome],
    more: Iterable[Relation] = (),
    right: Sequence[Outcome] = (),
    tried: Tried | None = None,
) -> Relation | None:
    """What the wrong rows of the gradient are; None where that is nothing that is known.

    more: relations that are tried before all others: that known so far, and what experiments suggest. right: outcomes
    that are right: of several relations one that has them right too is taken. tried: those that failed before, which
    are not tried again; those that fail now are added.
    """
    some = _smallest(one for one in wrong if not one.raised and one.wrong_entries.any())
    if len(some) < MIN_WRONG:
        return None
    tried = tried or Tried()
    in_loss_alone = [one for one in wrong if not one.wrong_entries.any()]
    held = Held(_matches_rows, _shows_in_gradient, *tried.gradients, tried.share, tried.work, may_be_partial=False)
    return _first(some, [*right, *in_loss_alone], tuple(more), gradients, held)


def relation_of_loss(
    wrong: Sequence[Outcome],
    more: Iterable[Relation] = (),
    right: Sequence[Outcome] = (),
    tried: Tried | None = None,
) -> Relation | None:
    """What the wrong losses are; None where that is nothing that is known. The arguments are as for the gradient."""
    some = _smallest(one for one in wrong if not one.raised and one.wrong_loss)
    if len(some) < MIN_WRONG:
        return None
    tried = tried or Tried()
    held = Held(_matches_loss, shows_in_loss, *tried.losses, tried.share, tried.work, may_be_partial=True)
    return _first(some, right, tuple(more), losses, held)


@dataclass(frozen=True)
class Held:
    """What a relation is held to: that it foretells a wrong outcome, and that it would not show in a right one.

    failed, failed_on_moderate: the words of those that did not foretell what came out, on all logits or on these.
    share: of the work of a localisation, for one search in vain. work: what is done in all. may_be_partial: whether one
    that shows in right outcomes may have a domain; of gradients such a one may fit by chance.
    """

    matches: Callable[[Relation, Outcome], bool]
    shows: Callable[[Relation, Outcome], bool]
    failed: set[str]
    failed_on_moderate: set[str]
    share: float
    work: Work
    may_be_partial: bool

    def predicts(self, relation: Relation, some: Sequence[Outcome]) -> bool:
        """Whether it foretells nearly all of those of which it says something."""
        return _predicts(relation, some, self._matches_at_a_cost)

    def is_shown(self, relation: Relation, one: Outcome) -> bool:
        """Whether it would show in an outcome."""
        self.work.comparison(one.problem.logits.size)
        return self.shows(relation, one)

    def _matches_at_a_cost(self, relation: Relation, one: Outcome) -> bool:
        self.work.comparison(one.problem.logits.size)
        return self.matches(relation, one)


def _first(
    some: Sequence[Outcome],
    right: Sequence[Outcome],
    more: Sequence[Relation],
    candidates: Callable[[Sequence[Outcome]], Iterable[Relation]],
    held: Held,
) -> Relation | None:
    """The plainest relation that foretells all; or else all on moderate logits: what is beyond may overflow."""
    known = next((one for one in more if held.predicts(one, some)), None)
    found = known or _plainest(candidates(some), some, right, held)
    moderate = [one for one in some if one.problem.is_moderate]
    if found is not None or not MIN_MODERATE <= len(moderate) < len(some):
        return found
    found = _plainest(candidates(moderate), moderate, right, replace(held, failed=held.failed_on_moderate))
    if found is None:
        return None
    return replace(found, said=f"{found.said} (on moderate logits)", domain=_in_moderate(found))


def _plainest(
    candidates: Iterable[Relation], some: Sequence[Outcome], right: Sequence[Outcome], held: Held
) -> Relation | None:
    """The first that foretells all wrong outcomes and shows in no right one; or else the first that foretells all.

    Of large outcomes fewer relations are tried; and once one foretells all, no others for long.
    """
    shown = _to_look_at(right)
    first, most = None, MAX_COMPARED // some[0].problem.logits.size
    work = held.work
    ends = work.n_steps + held.share * MAX_STEPS
    for one in islice((one for one in candidates if one.said not in held.failed), most):
        work.relation()
        if work.n_steps > ends or work.has_run_out:
            break
        if not held.predicts(one, some):
            if one.domain is None:  # or there may be more later of which it says something
                held.failed.add(one.said)
            continue
        if 2 * sum(held.is_shown(one, seen) for seen in some) < len(some):
            continue  # or what it foretells is hardly off
        if not any(held.is_shown(one, outcome) for outcome in shown):
            return one
        if first is None and (one.domain is None or held.may_be_partial):
            first, ends = one, work.n_steps + SHARE_AFTER_FIRST * MAX_STEPS
    return first


def _to_look_at(right: Iterable[Outcome]) -> list[Outcome]:
    """The smallest of these outcomes, in which a relation should not show."""
    return sorted((one for one in right if not one.raised), key=lambda one: one.problem.logits.size)[:MAX_RIGHT]


def _in_moderate(relation: Relation) -> Callable[[Outcome], Array]:
    return lambda one: relation.covers(one) & one.problem.is_moderate


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
    return np.asarray(off.any(axis=1) & relation.covers(outcome))


def _shows_in_gradient(relation: Relation, outcome: Outcome) -> bool:
    return bool(shows_in_rows(relation, outcome).any())


def shows_in_loss(relation: Relation, outcome: Outcome) -> bool:
    """Whether it could be seen in the loss."""
    return beyond_bound(relation, outcome) > 1


def beyond_bound(relation: Relation, outcome: Outcome) -> float:
    """How far off a loss would be, over what is seen at least; the largest of several, 0 where nothing is foretold."""
    true, bound, covered = outcome.seen.true_loss, outcome.seen.loss_bound, relation.covers(outcome)
    with np.errstate(all="ignore"):
        own = 4 * relation.off_by(outcome).max(initial=0.0) if callable(relation.coarse) else 0.0
        off = np.abs(relation.predict(outcome) - true) / (2 * ROOM * bound + own)
    off = np.where(np.isfinite(true), np.nan_to_num(off, nan=np.inf), 0.0)
    marks = covered if off.ndim else covered.all()
    return float(np.where(marks, off, 0.0).max(initial=0.0))


def _smallest(some: Iterable[Outcome]) -> list[Outcome]:
    """The smallest of the outcomes, so that what does not match is found out soonest; few of large ones.

    Half of them have several rows, where there are such: what is true of one row may not be of a batch.
    """
    by_size = sorted(some, key=lambda one: one.problem.logits.size)
    single = [one for one in by_size if one.problem.n_rows == 1]
    several = [one for one in by_size if one.problem.n_rows > 1]
    n_single = max(MAX_HELD // 2, MAX_HELD - len(several))
    found = [*single[:n_single], *several[: MAX_HELD - min(len(single), n_single)]]
    found = sorted(found, key=lambda one: one.problem.logits.size)
    entries = np.cumsum([one.problem.logits.size for one in found])
    few = int((entries <= MAX_ENTRIES).sum())
    of_other_shapes = {one.problem.logits.shape: one for one in found[few:]}  # one of each
    return [*found[:few], *list(of_other_shapes.values())[:MAX_LARGE]]


def _predicts(relation: Relation, some: Sequence[Outcome], matches: Callable[[Relation, Outcome], bool]) -> bool:
    """Whether it foretells nearly all of those of which it says something."""
    if relation.domain is not None:
        some = [one for one in some if relation.covers(one).all()]
        if len(some) < MIN_WRONG:
            return False
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
