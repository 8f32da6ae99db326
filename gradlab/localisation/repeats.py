"""What calls do to each other: results that are overwritten later, answers that depend on the number of the call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from gradlab.checks.contract import held_changes
from gradlab.localisation.calls import Repeats, problems_of_shape
from gradlab.localisation.in_a_row import wrong_in_a_row
from gradlab.localisation.trial import Laboratory, Outcome, Trial, outcome_of
from gradlab.localisation.varying import varied
from gradlab.problems.problem import Array, Problem, Shape

LATER = 16  # calls after which a result is still to be what it was
SHAPES = ((3, 4), (17, 16), (40, 40), (130, 130))  # rows and classes, of ever more entries
TIMES = 6  # that what was seen is tried again
IN_A_ROW = 48  # calls of one problem
LONGEST = 12  # calls of a period
FEW_ENTRIES = 16  # of a problem that is said nothing of where the same call gives other numbers
SEEN = 1e3  # times its bound is a gradient of which a change is seen


def overwritten(laboratory: Laboratory, like: Problem) -> Repeats | None:
    """How many calls later a result is overwritten, and from which size on; None where none is."""
    counts = [(shape, _first_change(laboratory, like, shape)) for shape in SHAPES]
    changed = [(shape, count) for shape, count in counts if count]
    if not changed:
        return None
    (shape, count), size = changed[0], ""
    again = [_first_change(laboratory, like, shape) for _ in range(TIMES)]
    if shape != SHAPES[0]:
        size = _smallest_size(laboratory, like, SHAPES[SHAPES.index(shape) - 1], shape)
    said = f"the result of a call is overwritten by the {_ordinal(count)} call after it with the same shape{size}"
    return Repeats(said, sum(one == count for one in again), TIMES)


def left_changed(laboratory: Laboratory, right: Sequence[Outcome]) -> Repeats | None:
    """What every call leaves changed in the process, by fresh problems; None where not every call does."""
    rng, masks = np.random.default_rng(15), laboratory.implementation.claims.masks
    drawn = [varied(one.problem, rng, masks) for one in right[: 2 * TIMES]]
    answers = [one for one in map(laboratory.answer, drawn) if one is not None]
    changed = [held_changes(one, laboratory.implementation) for one in answers]
    common = [said for said in (changed[0] if changed else []) if all(said in others for others in changed)]
    return Repeats(f"after every call {'; '.join(common)}", len(changed), len(changed)) if common else None


def _smallest_size(laboratory: Laboratory, like: Problem, right: Shape, wrong: Shape) -> str:
    """From how many entries on results are overwritten, by problems of one row."""
    low, high = right[0] * right[1], wrong[0] * wrong[1]
    if not _first_change(laboratory, like, (1, high)) or _first_change(laboratory, like, (1, low)):
        return ", of a large batch alone"
    while high - low > 1 and not laboratory.is_spent:
        middle = (low + high) // 2
        if _first_change(laboratory, like, (1, middle)):
            high = middle
        else:
            low = middle
    return f", where N K is {high} or more"


def _first_change(laboratory: Laboratory, like: Problem, shape: Shape) -> int:
    """Which later call of the same shape changes a result that is kept; 0 where none of the next does."""
    problems = problems_of_shape(like, shape, LATER + 1)
    first = laboratory.answer(next(problems))
    if first is None or first.gradient is None or first.loss is None:
        return 0
    before = first.gradient.copy(), first.loss.copy()
    for count, problem in enumerate(problems, start=1):
        if laboratory.answer(problem) is None:
            return 0
        if not (np.array_equal(before[0], first.gradient) and np.array_equal(before[1], first.loss)):
            return count
    return 0


def differs_each_time(laboratory: Laboratory, problems: Sequence[Problem]) -> Repeats | None:
    """Whether the same call gives another loss, or gradient, every time, by more than rounding; None where not.

    problems: that are tried in turn, the smallest first: of few entries some may stay what they are by chance.
    """
    found = (_differs_each_time(laboratory, problem) for problem in problems)
    return next((one for one in found if one is not None), None)


def _differs_each_time(laboratory: Laboratory, problem: Problem) -> Repeats | None:
    seen = [one.seen for one in _again(laboratory, [problem] * (2 * TIMES))]
    parts = {
        "loss": [_differ(a.loss, b.loss, a.loss_bound) for a, b in pairwise(seen)],
        "gradient": [_differ(a.gradient, b.gradient, a.gradient_bound) for a, b in pairwise(seen)],
    }
    changing = [name for name, marks in parts.items() if marks and all(marks)]
    n_calls = len(seen) - 1
    if not changing:
        return None
    size = "" if problem.logits.size <= FEW_ENTRIES else f", with {problem.n_rows} rows of {problem.n_classes} classes"
    return Repeats(f"the same call gives another {' and '.join(changing)} every time{size}", n_calls, n_calls)


def _differ(first: Array, second: Array, bound: Array) -> bool:
    return bool((np.abs(first - second) > 4 * bound).any())


def by_number(laboratory: Laboratory, problem: Problem) -> Repeats | None:
    """Which calls are wrong, by their number or by the calls before them: one in so many, or all from some number on.

    None where the calls of this problem, one after the other, are wrong in no such way.
    """
    marks = [one.is_wrong for one in _again(laboratory, [problem] * IN_A_ROW)]
    places = np.flatnonzero(marks)
    if not 0 < len(places) < len(marks):
        return None
    steps = np.diff(places)
    period = int(steps[0]) if len(steps) and (steps == steps[0]).all() else 0
    if 1 < period <= LONGEST and len(places) >= 3:
        start = (len(marks) - int(places[0])) % period
        later = [one.is_wrong for one in _again(laboratory, _in_many_shapes(problem, 2 * period + 6))]
        as_said = [mark == ((i + start) % period == 0) for i, mark in enumerate(later)]
        return Repeats(f"one call in {period} is wrong, whatever it is asked", sum(as_said), len(as_said))
    if not ((steps == 1).all() and places[-1] == len(marks) - 1):
        return None
    in_a_row = wrong_in_a_row(laboratory, problem)
    if in_a_row is not None:
        return in_a_row if in_a_row.said else None
    later = [one.is_wrong for one in _again(laboratory, _in_many_shapes(problem, IN_A_ROW // 2))]
    return Repeats("calls go wrong from some number of calls on", sum(later), len(later))


def _in_many_shapes(like: Problem, count: int) -> list[Problem]:
    """Problems of ever other shapes, of a few rows and classes."""
    return [next(problems_of_shape(like, (2 + i % 5, 3 + i % 7), 1, i)) for i in range(count)]


def wrong_by_now(laboratory: Laboratory, earlier: Sequence[Outcome]) -> Repeats | None:
    """Whether problems that were answered rightly earlier in the run are all answered wrongly by now; else None.

    earlier: outcomes of the run that were right. Those of which a wrong gradient, or a wrong loss, could hardly be seen
    say nothing.
    """
    again = [(one, laboratory.ask(one.trial)) for one in earlier]
    known = [
        later for one, later in again if later is not None and (one.contrasts > SEEN).any() and one.loss_contrast > SEEN
    ]
    if not known or not all(later.is_wrong for later in known):
        return None
    said = "calls go wrong from some number of calls on: what was right earlier in the run is wrong by its end"
    return Repeats(said, len(known), len(known))


def _again(laboratory: Laboratory, problems: Sequence[Problem]) -> Sequence[Outcome]:
    found = [laboratory.ask(Trial(problem)) for problem in problems]
    return [one for one in found if one is not None]


def repeats_earlier_call(laboratory: Laboratory, like: Problem) -> Repeats | None:
    """Whether a call gets the gradient of the call before, where the two have the same shape and labels."""
    problems = list(problems_of_shape(like, (5, 13), 2 * TIMES))
    asked = [problem.replace(targets=problems[0].targets) for problem in problems]
    answers = [laboratory.answer(problem) for problem in asked]
    gradients = [one.gradient for one in answers if one is not None and one.gradient is not None]
    same = [bool(np.array_equal(one, gradients[0])) for one in gradients[1:]]
    if not same or not all(same):
        return None
    return Repeats("a call gets the gradient of an earlier one with the same shape and labels", len(same), len(same))


def has_labels_of_earlier_call(laboratory: Laboratory, like: Problem) -> Repeats | None:
    """Whether calls with ever other labels are answered as if all of these had the labels of one call.

    They have one shape; then also the same first and last label, or as many labels of each class, or both.
    """
    rng = np.random.default_rng(16)
    for shape, (words, changed) in zip(_SHAPES_OF_LABELS, _ALIKE.items(), strict=True):
        problems = list(problems_of_shape(like, shape, TIMES + 1))
        labels = problems[0].targets
        problems = [problem.replace(targets=changed(problem.targets, labels, rng)) for problem in problems]
        count = _n_answered_with_the_first_labels(laboratory, problems)
        if count:
            said = f"a call is answered as if it had the labels of an earlier one with {words}"
            return Repeats(said, count, count)
    return None


def _ends_alike(labels: Array, first: Array, rng: np.random.Generator) -> Array:
    return np.concatenate([first[:1], labels[1:-1], first[-1:]])


def _reordered(labels: Array, first: Array, rng: np.random.Generator) -> Array:
    return rng.permutation(first)


def _middle_reordered(labels: Array, first: Array, rng: np.random.Generator) -> Array:
    return np.concatenate([first[:1], rng.permutation(first[1:-1]), first[-1:]])


_ALIKE: dict[str, Callable[[Array, Array, np.random.Generator], Array]] = {
    "the same shape": lambda labels, first, rng: labels,
    "the same shape, first and last label": _ends_alike,
    "the same shape and as many labels of each class": _reordered,
    "the same shape, first and last label and as many labels of each class": _middle_reordered,
}
_SHAPES_OF_LABELS = ((11, 29), (7, 29), (9, 31), (13, 31))  # that no other problem has: nothing is kept of them yet


def _n_answered_with_the_first_labels(laboratory: Laboratory, problems: Sequence[Problem]) -> int:
    """How many calls these are, if all are answered as if they had the labels of the first; 0 otherwise."""
    answers = [laboratory.answer(problem) for problem in problems]
    shape = problems[0].logits.shape
    if any(one is None or one.gradient is None or one.gradient.shape != shape for one in answers):
        return 0
    used = [one.gradient.argmin(axis=1) for one in answers if one is not None and one.gradient is not None]
    first = problems[0].targets
    if any((own != first).any() for own in used) or all((problem.targets == first).all() for problem in problems):
        return 0
    as_said = [
        not outcome_of(Trial(problem.replace(targets=first)), answer).is_wrong
        for problem, answer in zip(problems, answers, strict=True)
        if answer is not None
    ]
    return len(as_said) if all(as_said) else 0


def _ordinal(count: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(count, "th")
    return "next" if count == 1 else f"{count}{ending}"
