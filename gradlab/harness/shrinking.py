"""A smaller failing problem for the most costly failures of a run."""

from __future__ import annotations

from functools import partial

import numpy as np

from gradlab.evaluation.call import Implementation, made_for
from gradlab.harness.order import cost
from gradlab.harness.plan import Plan, Progress, Watch
from gradlab.harness.resume import Course, Done
from gradlab.harness.selection import may_be_asked
from gradlab.harness.tally import Line, Tally, examine, findings_of
from gradlab.harness.verdict import Verdict, verdict_of_failure
from gradlab.problems.problem import Problem
from gradlab.result import largest_ratio

TINY = (4, 9.0)  # entries and their size: a failing problem of so few small whole numbers is not shrunk any further


def shrink(done: Done, plan: Plan, watch: Watch, course: Course) -> None:
    """Looks for a smaller failing problem for the most costly failures, and examines what it finds like any other."""
    tally, claims = done.tally, done.tally.implementation.claims
    if course.cut_short or done.stopped:
        return
    if done.to_shrink is None:
        done.to_shrink = _large_failures(tally, plan)[: plan.profile.shrinks]
    for number, line in enumerate(done.to_shrink):
        phase = f"shrinking {line.check.name}"
        if number < done.n_shrunk or phase in course.given_up:
            continue
        name, n_failing = tally.implementation.name, len(tally.failing)
        watch(Progress(name, line.dtype, phase, number, len(done.to_shrink), n_failing))
        fails = partial(_fails_as_badly, tally.implementation, line, course)
        from gradlab.harness.search import smallest  # Hypothesis, which takes half a second

        with made_for(phase):
            found = smallest(claims, line.dtype, plan.profile.shrink_examples, plan.seed, fails)
        if found is not None:
            examine(tally, found, course.given_up)
        done.n_shrunk = number + 1
        course.keep_now(done)


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
    large = [line for line in first.values() if line.simplest and not _is_tiny(line.simplest.problem)]
    return large


def _is_tiny(problem: Problem) -> bool:
    x = problem.logits64
    return bool(
        x.size <= TINY[0] and problem.is_finite and (x == np.rint(x)).all() and np.abs(x).max(initial=0) <= TINY[1]
    )


def _fails_as_badly(implementation: Implementation, line: Line, course: Course, problem: Problem) -> bool:
    if course.reason_to_stop():  # nothing fails any more: the search ends with what it has
        return False
    if problem.format.name != line.dtype or not may_be_asked(implementation.claims, problem):
        return False
    if not line.check.applies(implementation.claims, problem):
        return False
    if verdict_of_failure(line.check, implementation.claims, problem) > line.verdict:
        return False
    return any(largest_ratio(findings) > 1 for _, findings in findings_of((line.check,), implementation, problem))
