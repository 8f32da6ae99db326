"""What a submission comes to under a task: passed or not, a hint, points."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gradlab.harness.tally import Line
from gradlab.harness.verdict import Verdict, is_advice
from gradlab.lessons.hints import Hint, finding_of, hint_on
from gradlab.lessons.task import Task
from gradlab.report.report import Report

REFUSED, NOT_BEGUN = "refused", "not begun"
MAX_POINTS = 10
POINTS = {"stable": 8, "unstable": 5, "wrong": 0, REFUSED: 0, NOT_BEGUN: 0}  # where it does not pass
HALF_RIGHT = 2  # wrong, but the loss is right, or the gradient
OF_LOSS = ("loss_is_right", "loss_within_forward_error")
OF_GRADIENT = ("gradient_is_right", "gradient_within_forward_error")
CALLS = "returns_loss_and_gradient"
STUB = "NotImplementedError"


@dataclass(frozen=True)
class Outcome:
    """What one submission comes to.

    verdict: wrong, unstable, stable or accurate, of what the task asks; "refused" where it does not load, "not begun"
    where every call says so. ratio: the largest error over its tolerance, inf where there was no answer, NaN where
    nothing was tried. finding: the first fact that does not hold, with both values; "" where it passes. points: of
    MAX_POINTS, as POINTS and HALF_RIGHT say.
    """

    verdict: str
    passed: bool
    ratio: float
    finding: str
    hint: Hint
    points: int


def refusal_of(reason: str) -> Outcome:
    """The outcome of a submission that does not load, or is none."""
    hint = Hint(reason, "Python cannot load it: run the file by itself first")
    return Outcome(REFUSED, False, math.nan, reason, hint, POINTS[REFUSED])


def outcome_of(report: Report, task: Task) -> Outcome:
    """The outcome of a run with the claims and the level of the task."""
    if _is_untouched(report):
        hint = Hint("the function is as it was delivered", "fill it in, and take out the line that raises")
        return Outcome(NOT_BEGUN, False, math.nan, hint.where, hint, POINTS[NOT_BEGUN])
    lines = [line for line in report.lines if line.check.name not in task.later]
    verdict = _verdict_of(lines)
    passed = verdict >= Verdict(task.level) and not report.cut_short
    costly = [line for line in lines if _is_held_against(line, report)]
    ratios = [math.inf if math.isnan(line.worst.ratio) else line.worst.ratio for line in costly]
    failures = [line for line in report.failures if line.check.name not in task.later]
    finding = "" if passed else finding_of(report, failures)
    points = MAX_POINTS if passed else POINTS[str(verdict)]
    if verdict is Verdict.WRONG and _is_half_right(lines):
        points = HALF_RIGHT
    hint = Hint() if passed else hint_on(report, failures, task)
    return Outcome(str(verdict), passed, max(ratios, default=math.nan), finding, hint, points)


def _is_held_against(line: Line, report: Report) -> bool:
    """Whether failing it makes a function less than stable."""
    return line.check.failing_means in ("wrong", "unstable") and not is_advice(line.check, report.implementation.claims)


def _is_untouched(report: Report) -> bool:
    """Whether every call raises NotImplementedError, as those of a stub do."""
    found = [line for line in report.lines if line.check.name == CALLS and line.n_failed == line.n_problems]
    return bool(found) and all(STUB in line.worst.observed for line in found)


def _verdict_of(lines: list[Line]) -> Verdict:
    """The best verdict that these lines leave; `accurate` where a check of that level ran."""
    tried = any(line.check.failing_means == "inaccurate" for line in lines)
    return min([Verdict.ACCURATE if tried else Verdict.STABLE, *(line.verdict for line in lines)])


def _is_half_right(lines: list[Line]) -> bool:
    """Whether everything held that was asked of the loss alone, or all of the gradient alone."""
    return any(_all_passed(lines, names) for names in (OF_LOSS, OF_GRADIENT))


def _all_passed(lines: list[Line], names: tuple[str, ...]) -> bool:
    asked = [line for line in lines if line.check.name in names]
    return bool(asked) and all(line.passed for line in asked)
