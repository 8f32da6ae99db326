"""Marks for a class: one line for each submission, whatever another one does."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gradlab.evaluation.foreign import describe_error
from gradlab.evaluation.text import one_line
from gradlab.isolation.limits import Limits
from gradlab.lessons.judging import LIMITS, judge_submission
from gradlab.lessons.outcome import Outcome, refusal_of
from gradlab.lessons.submissions import Submission
from gradlab.lessons.task import Task

COLUMNS = ("name", "verdict", "passed", "points", "ratio", "finding", "hint")
FORMULAS = ("=", "+", "-", "@")  # with which a spreadsheet begins a formula


@dataclass(frozen=True)
class Mark:
    """A submission by its name, and what it comes to."""

    name: str
    outcome: Outcome

    def cells(self) -> tuple[str, ...]:
        """The cells of its line, in the order of COLUMNS."""
        one = self.outcome
        ratio = f"{one.ratio:.6g}"
        hint = "; ".join(filter(None, (one.hint.where, one.hint.kind)))
        passed = "yes" if one.passed else "no"
        return tuple(map(cell, (self.name, one.verdict, passed, str(one.points), ratio, one.finding, hint)))


def grade(
    submissions: Iterable[Submission], task: Task, seed: int, function: str = "loss", limits: Limits = LIMITS
) -> Iterator[Mark]:
    """The marks, one after the other, each as soon as it is known.

    Each submission runs in processes of its own, in a folder of its own that is removed afterwards. function: what is
    judged of each. The same for the same submissions, task, seed and versions, where no limit of time ends a run.
    """
    for submission in submissions:
        yield Mark(submission.name, _outcome(submission, task, seed, function, limits))


def _outcome(submission: Submission, task: Task, seed: int, function: str, limits: Limits) -> Outcome:
    if submission.fault:
        return refusal_of(submission.fault)
    try:
        with tempfile.TemporaryDirectory(prefix="gradlab-", ignore_cleanup_errors=True) as folder:
            submission.write(Path(folder))
            main = Path(folder, submission.main)
            return judge_submission(f"{main.name}:{function}", task, seed, main.parent, limits)
    except Exception as error:  # whatever one of them brings about, the others are judged
        return refusal_of(one_line(f"it could not be judged: {describe_error(error)}"))


def cell(text: str) -> str:
    """A text as a cell of a table, on one line, which no spreadsheet takes for a formula."""
    shown = one_line(text)
    return f"'{shown}" if shown.startswith(FORMULAS) else shown


def table_of(marks: Sequence[Mark]) -> str:
    """The marks as CSV (RFC 4180), with a line of names above them."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(mark.cells() for mark in marks)
    return text.getvalue()
