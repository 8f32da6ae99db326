"""A smaller failing problem for the most costly failures of a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from gradlab.evaluation.call import Implementation, made_for
from gradlab.evaluation.claims import Claims
from gradlab.harness.course import Course, Done
from gradlab.harness.order import cost
from gradlab.harness.plan import Plan, Progress, Watch
from gradlab.harness.scopes import scope_of
from gradlab.harness.selection import may_be_asked
from gradlab.harness.tally import Line, Tally, examine, findings_of
from gradlab.harness.verdict import Verdict, verdict_of_failure
from gradlab.problems.problem import AnyProblem
from gradlab.result import largest_ratio


def shrink(done: Done, plan: Plan, watch: Watch, course: Course) -> Done:
    """Looks for a smaller failing problem for the most costly failures, and examines what it finds like any other.

    Returns what it was given, to which that is added.
    """
    tally, claims = done.tally, done.tally.implementation.claims
    if done.stopped:
        return done
    to_shrink = _large_failures(tally, plan)[: plan.profile.shrinks]
    for number, line in enumerate(to_shrink):
        phase = f"shrinking {line.check.name}"
        if phase in course.given_up:
            continue
        name, n_failing = tally.implementation.name, len(tally.failing)
        watch(Progress(name, line.dtype, phase, number, len(to_shrink), n_failing))
        fails = partial(_fails_as_badly, tally.implementation, line, course)
        with made_for(phase):
            found = _smaller(claims, line, plan, fails)
        if found is not None:
            examine(tally, found, course.given_up)
    return done


def _large_failures(tally: Tally, plan: Plan) -> list[Line]:
    """The failures that keep the verdict below the level asked for and show on no tiny problem, most costly first.

    One line for each check: what fails in one dtype mostly fails in the others on the same problem.
    """
    lines = [
        line for line in tally.lines.values() if line.verdict < Verdict(plan.level) and line.check.group != "sizes"
    ]
    first: dict[str, Line] = {}
    for line in sorted(lines, key=cost):
        first.setdefault(line.check.name, line)
    is_tiny = scope_of(tally.implementation.claims).problems.is_tiny
    return [line for line in first.values() if line.simplest and not is_tiny(line.simplest.problem)]


def _smaller(claims: Claims, line: Line, plan: Plan, fails: Callable[[Any], bool]) -> AnyProblem | None:
    assert line.simplest is not None  # of a failure
    search = scope_of(claims).problems.smaller
    return search(claims, line.simplest.problem, plan.profile.shrink_examples, plan.seed, fails)


def _fails_as_badly(implementation: Implementation, line: Line, course: Course, problem: AnyProblem) -> bool:
    if course.reason_to_stop():  # nothing fails any more: the search ends with what it has
        return False
    if problem.format.name != line.dtype or not may_be_asked(implementation.claims, problem):
        return False
    if not line.check.applies(implementation.claims, problem):
        return False
    if verdict_of_failure(line.check, implementation.claims, problem) > line.verdict:
        return False
    return any(largest_ratio(findings) > 1 for _, findings in findings_of((line.check,), implementation, problem))
