"""One check by itself, on all the problems of a run: what a test suite with one test per check is made of."""

from __future__ import annotations

from gradlab.checks.check import Check
from gradlab.checks.table import CHECKS
from gradlab.evaluation.call import Implementation, answer
from gradlab.harness.plan import Plan, dtypes_to_check
from gradlab.harness.selection import questions_in_run
from gradlab.harness.tally import Line, Tally, add_results
from gradlab.harness.verdict import Verdict, is_advice


def held_checks(implementation: Implementation, plan: Plan) -> list[tuple[Check, str]]:
    """Each (check, dtype) that a run with this plan holds against the implementation: no advice, no empty check.

    The checks of level `accurate` are among them only if the plan asks for that level.
    Raises ValueError where the plan asks for a dtype that is not claimed.
    """
    claims = implementation.claims
    wanted = [check for check in CHECKS if not is_advice(check, claims) and _counts(check, plan)]
    return [
        (check, dtype)
        for dtype in dtypes_to_check(implementation, plan)
        for check in wanted
        if any(check in one.checks for one in questions_in_run(claims, dtype, plan.profile, plan.seed))
    ]


def line_of(implementation: Implementation, plan: Plan, what: tuple[Check, str]) -> Line:
    """What one (check, dtype) finds on the families and on the problems drawn; the first call of a run draws them.

    Raises NothingCheckedError where every call of the implementation failed, so that the check never ran.
    """
    check, dtype = what
    tally = Tally(implementation)
    claims = implementation.claims
    in_run = questions_in_run(claims, dtype, plan.profile, plan.seed)
    problems = [one.problem for one in in_run if check in one.checks]
    for problem in problems:
        add_results(tally, problem, (check,))
    line = tally.lines.get((check.name, dtype))
    if line is None:
        raise NothingCheckedError(f"no call gave an answer to check: {answer(implementation, problems[0]).fault}")
    return line


class NothingCheckedError(Exception):
    """A check applies to the problems of a run, but the implementation answered none of them."""


def _counts(check: Check, plan: Plan) -> bool:
    return check.failing_means != "inaccurate" or Verdict(plan.level) > Verdict.STABLE
