"""A lesson as a test in a notebook: an exception with the hint, where the function does not pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradlab.lessons.hints import KIND
from gradlab.lessons.judging import judge_function
from gradlab.lessons.table import lesson_named


def lesson_test(name: str, function: Callable[..., Any], *, seed: int = 0, hints: int = KIND) -> None:
    """Raises AssertionError, with a hint, unless a function passes a lesson; for cells of nbgrader and of Otter.

    name: of the lesson, such as "overflow". function: what its file `loss.py` calls `loss`. seed: of the problems.
    hints: 0 for none, 1 for where it is wrong, 2 for what kind of mistake it is, too. The function runs in this
    process. Takes seconds. Raises ValueError for an unknown lesson, and for hints out of range.

    >>> gradlab.lesson_test("overflow", loss)
    """
    if hints not in range(KIND + 1):
        raise ValueError(f"hints must be 0, 1 or {KIND}, got {hints!r:.60}")
    outcome = judge_function(function, lesson_named(name).task, seed)
    if not outcome.passed:
        raise AssertionError("\n".join([f"{name}: not yet ({outcome.verdict})", *outcome.hint.lines(hints)]))
