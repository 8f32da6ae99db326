"""What is said of wrong answers where no formula foretells them: which entries are off, of what kind, and how far."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from gradlab.localisation.relations.relation import denominator, hot, row_losses, softmax_over
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.problem import Array

HELD = 0.98  # of the wrong answers, of which it has to be true
SLACK = 1.25  # times what was seen in every second wrong answer, that the others are off at most
MIN_WRONG = 8  # wrong answers that tell how far they are off
LEAST = 1e-4  # of a probability, from which a logit is read off
SUMS = 0.01  # of how far logits are off, that their probabilities add up to other than 1
FEW = 1.0  # how far logits are off that are still near
NEAR = 4.0  # times its bound, that an entry is off which is that of another row
MOST = 1 << 14  # entries of a problem that is looked at

Marks = Callable[[Outcome], Array]


def said_of_gradients(wrong: Sequence[Outcome]) -> str:
    """What is true of all wrong gradients, behind "the gradient"; "" where nothing is."""
    some = [one for one in wrong if not one.raised and one.wrong_entries.any() and one.problem.logits.size <= MOST]
    if len(some) < MIN_WRONG:
        return ""
    return next((said for said in _gradient_facts(some) if said), "")


def said_of_losses(wrong: Sequence[Outcome]) -> str:
    """What is true of all wrong losses, behind "the loss"; "" where nothing is."""
    some = [one for one in wrong if not one.raised and one.wrong_loss]
    if len(some) < MIN_WRONG:
        return ""
    return next((said for said in _loss_facts(some) if said), "")


def _gradient_facts(some: Sequence[Outcome]) -> Iterator[str]:
    yield "is not finite" * _holds(some, _is_lost)
    for words, entries in _ENTRIES.items():
        yield f"is wrong in {words} alone" * _holds(some, partial(_is_right_but_for, entries=entries))
    yield "of a row is that of another row of the batch" * _holds(some, _is_of_another_row)
    yield "of a row has its entries in another order" * _holds(some, _is_reordered)
    yield _within("of a row is a multiple of what it should be, by {} to {}", [_multiples(one) for one in some])
    off = [_logits_off(one) for one in some if (one.wrong_rows & one.problem.rows_with_value).any()]
    yield _at_most("is that of logits that are up to {} off", off, FEW)
    yield _at_most(
        "is up to {} of the row's largest entry off", [one.deviations[one.wrong_rows].max() for one in some], 1.0
    )


def _loss_facts(some: Sequence[Outcome]) -> Iterator[str]:
    yield "is not finite" * _holds(some, lambda one: not np.isfinite(one.seen.loss).any())
    single = [one for one in some if one.problem.n_rows == 1]
    units = [_label_off(one) / one.problem.n_classes / one.problem.format.unit_roundoff for one in single]
    yield _at_most("is -log p_y of a p_y that is up to {} K unit roundoffs off, however small it is", units, 64.0)
    yield _at_most("is up to {} off", [float(np.abs(one.seen.loss - one.seen.true_loss).max()) for one in some], 0.1)
    with np.errstate(all="ignore"):
        ratios = [np.ravel(one.seen.loss / one.seen.true_loss) for one in some]
    yield _within("is {} to {} times what it should be", [(float(one.min()), float(one.max())) for one in ratios])
    for words, sign in (("too large", 1), ("too small", -1)):
        yield f"is {words}" * _holds(some, partial(_is_beyond, sign=sign))


def _holds(some: Sequence[Outcome], fact: Callable[[Outcome], bool]) -> bool:
    allowed = int((1 - HELD) * len(some))
    for one in some:
        allowed -= not fact(one)
        if allowed < 0:
            return False
    return True


def _at_most(words: str, sizes: Sequence[float], most: float) -> str:
    """The words with the largest of every second number, if hardly another one is larger, and none than `most`."""
    if len(sizes) < MIN_WRONG or not np.isfinite(sizes).all():
        return ""
    limit = float(f"{SLACK * max(sizes[::2]):.2g}")
    return words.format(f"{limit:g}") if limit <= most and np.mean(np.array(sizes) <= limit) >= HELD else ""


def _within(words: str, ends: Sequence[tuple[float, float]]) -> str:
    """The words with the two ends of every second range, if hardly another one is outside."""
    if len(ends) < MIN_WRONG or not np.isfinite(ends).all():
        return ""
    low, high = min(one for one, _ in ends[::2]), max(one for _, one in ends[::2])
    inside = [low - abs(low) * (SLACK - 1) <= one and other <= high + abs(high) * (SLACK - 1) for one, other in ends]
    said = f"{low:.3g}", f"{high:.3g}"
    return words.format(*said) if np.mean(inside) >= HELD and low * high > 0 and said[0] != said[1] else ""


_ENTRIES: dict[str, Marks] = {
    "the label's entry": lambda one: hot(one, labels_of(one.problem)),
    "the entry of class 0": lambda one: hot(one, 0 * labels_of(one.problem)),
    "the entry of the last class": lambda one: hot(one, 0 * labels_of(one.problem) + one.problem.n_classes - 1),
    "the entries of the largest logits": lambda one: one.problem.logits64 == one.problem.logits64.max(axis=1)[:, None],
    "the entries of the smallest logits": lambda one: one.problem.logits64 == one.problem.logits64.min(axis=1)[:, None],
    "entries of logits of -inf": lambda one: one.problem.logits64 == -np.inf,
    "the label's entry and that of the largest logit": lambda one: (
        hot(one, labels_of(one.problem)) | hot(one, one.problem.logits64.argmax(axis=1))
    ),
    "the entries but the label's": lambda one: ~hot(one, labels_of(one.problem)),
    "entries of negative logits": lambda one: one.problem.logits64 < 0,
    "entries of positive logits": lambda one: one.problem.logits64 > 0,
    "the entries behind the label's": lambda one: np.arange(one.problem.n_classes) > labels_of(one.problem)[:, None],
    "the entries before the label's": lambda one: np.arange(one.problem.n_classes) < labels_of(one.problem)[:, None],
}


def _is_right_but_for(one: Outcome, entries: Marks) -> bool:
    return not (one.wrong_entries & ~entries(one)).any()


def _is_beyond(one: Outcome, sign: int) -> bool:
    """Whether every loss is too large, for 1, or too small, for -1."""
    with np.errstate(all="ignore"):
        return bool((sign * (one.seen.loss - one.seen.true_loss) > 0).all())


def _is_lost(one: Outcome) -> bool:
    """Whether no wrong row is finite."""
    return not np.isfinite(one.seen.gradient[one.wrong_rows]).all(axis=1).any()


def _is_of_another_row(one: Outcome) -> bool:
    """Whether every wrong row is, within its bounds, the truth of another row."""
    true, bound = one.seen.true_gradient, one.seen.gradient_bound
    with np.errstate(all="ignore"):
        return all(
            bool(_is_near(one.seen.gradient[row], true, NEAR * np.maximum(bound, bound[row])).all(axis=1).any())
            for row in np.flatnonzero(one.wrong_rows)[:8]
        )


def _is_near(seen: Array, true: Array, room: Array) -> Array:
    return np.asarray((np.abs(true - seen) <= room) | (np.isnan(true) & np.isnan(seen)))


def _is_reordered(one: Outcome) -> bool:
    rows = one.wrong_rows
    with np.errstate(all="ignore"):
        off = np.abs(np.sort(one.seen.gradient[rows], axis=1) - np.sort(one.seen.true_gradient[rows], axis=1))
        return bool((off <= NEAR * one.seen.gradient_bound[rows].max(axis=1, keepdims=True)).all())


def _multiples(one: Outcome) -> tuple[float, float]:
    """The smallest and the largest number by which a wrong row was multiplied; NaN where it is no multiple."""
    rows = one.wrong_rows
    seen, true, bound = one.seen.gradient[rows], one.seen.true_gradient[rows], one.seen.gradient_bound[rows]
    with np.errstate(all="ignore"):
        at = np.arange(len(seen)), np.abs(true).argmax(axis=1)
        times = seen[at] / true[at]
        room = NEAR * np.maximum(1, np.abs(times))[:, None] * bound
        near = (np.abs(seen - times[:, None] * true) <= room + NEAR * bound.max(axis=1, keepdims=True)).all(axis=1)
    return (float(times.min()), float(times.max())) if near.all() else (np.nan, np.nan)


def _logits_off(one: Outcome) -> float:
    """How far the logits are off, beside one another, of which the wrong rows are the gradient; NaN for none."""
    rows = one.wrong_rows & one.problem.rows_with_value
    labels = hot(one, labels_of(one.problem))[rows]
    p, true = one.seen.gradient[rows] * denominator(one) + labels, softmax_over(one.problem.mapped64[rows], axis=1)
    known = (true > LEAST) & (p > 0)
    with np.errstate(all="ignore"):
        off = np.where(known, np.log(p / true), np.nan)
        sums = np.abs(p.sum(axis=1) - 1)
    largest = float(np.nanmax(np.abs(off), initial=0.0))
    return largest if (sums <= SUMS * largest).all() else float("nan")


def _label_off(one: Outcome) -> float:
    """How far p_y is off in the loss of a single row; 0 for a loss that is not finite, if p_y is as good as 0."""
    true = float(np.exp(-row_losses(one)).max())
    with np.errstate(all="ignore"):
        p = float(np.exp(-one.seen.loss).ravel()[0])
    return true if not np.isfinite(one.seen.loss).all() else abs(p - true)
