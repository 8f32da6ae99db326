"""Calls that are wrong where the calls before them had something of theirs: the shape, the labels, the logits, or all.

A call of another shape in between tells this from calls that are wrong by their number: after it the first is right.
"""

from __future__ import annotations

from gradlab.localisation.calls import Repeats, problems_of_shape
from gradlab.localisation.trial import Laboratory, Trial
from gradlab.problems.problem import Problem

LONGEST = 48  # calls in a row
TIMES = 4  # that what was seen is tried again
BETWEEN = (7, 11)  # rows and classes of the call in between; one more of each where those are the problem's
COMMON = ("shape", "labels", "logits", "arguments")  # what calls in a row have in common, the least first


def wrong_in_a_row(laboratory: Laboratory, problem: Problem) -> Repeats | None:
    """What calls in a row have in common of which one is wrong that is right after a call of another shape.

    problem: one that was wrong after it was right. None where it is wrong whatever was called before; without words
    where nothing is known but that what was called before matters.
    """
    if _first_wrong(laboratory, [problem] * LONGEST) < 2:
        return None
    counts = ((name, _first_wrong(laboratory, _in_a_row(problem, name))) for name in COMMON)
    name, count = next(((name, count) for name, count in counts if count >= 2), ("", 0))
    if not name:
        return Repeats("", 0, 0)
    again = [_first_wrong(laboratory, _in_a_row(problem, name, seed)) == count for seed in range(1, TIMES + 1)]
    before = "the call before" if count == 2 else f"the {count - 1} calls before"
    said = f"a call with the same {name} as {before} is wrong, and right after a call of another shape"
    return Repeats(said, count * sum(again), count * TIMES)


def _in_a_row(like: Problem, name: str, seed: int = 0) -> list[Problem]:
    """Problems in a row that have this in common, and nothing else with the one before."""
    first, *others = problems_of_shape(like, like.logits.shape, LONGEST, seed)
    row = [first]
    for other in others:
        moved = (row[-1].targets + 1) % like.n_classes
        logits = first.logits if name in ("logits", "arguments") else other.logits
        targets = first.targets if name in ("labels", "arguments") else moved
        row.append(first.replace(logits=logits, targets=targets))
    return row


def _first_wrong(laboratory: Laboratory, row: list[Problem]) -> int:
    """The number of the first wrong call in a row after a call of another shape; 0 where all are right."""
    rows, classes = (most + (most == own) for most, own in zip(BETWEEN, row[0].logits.shape, strict=True))
    laboratory.ask(Trial(next(problems_of_shape(row[0], (rows, classes), 1))))
    for number, one in enumerate(row, start=1):
        outcome = laboratory.ask(Trial(one))
        if outcome is None or outcome.is_wrong:
            return number if outcome is not None else 0
    return 0
