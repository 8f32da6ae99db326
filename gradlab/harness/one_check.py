"""One check by itself, on all the problems of a run: what a test suite with one test per check is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradlab.checks.check import Check
from gradlab.evaluation.call import Implementation, made_for
from gradlab.evaluation.claims import Claims
from gradlab.harness.plan import Plan, dtypes_to_check
from gradlab.harness.scopes import scope_of
from gradlab.harness.selection import problems_in_run, questions_in_run
from gradlab.harness.sizes import all_asked, examine_sizes
from gradlab.harness.tally import Line, Tally, add_results
from gradlab.harness.verdict import Verdict, is_advice

if TYPE_CHECKING:
    from gradlab.diagnosis.diagnosis import Diagnosis


def held_checks(implementation: Implementation, plan: Plan) -> list[tuple[Check, str]]:
    """Each (check, dtype) that a run with this plan holds against the implementation: no advice, no empty check.

    The checks of level `accurate` are among them only if the plan asks for that level.
    Raises ValueError where the plan asks for a dtype that is not claimed.
    """
    claims = implementation.claims
    wanted = [check for check in scope_of(claims).checks if not is_advice(check, claims) and _counts(check, plan)]
    return [
        (check, dtype)
        for dtype in dtypes_to_check(implementation, plan)
        for check in wanted
        if _is_asked(check, claims, dtype, plan)
    ]


def _is_asked(check: Check, claims: Claims, dtype: str, plan: Plan) -> bool:
    """Whether a run asks this check of some problem."""
    if check.group == "sizes":
        return plan.profile.most is None and bool(all_asked(claims, (dtype,), plan.profile.families))
    return any(check in one.checks for one in questions_in_run(claims, dtype, plan.profile, plan.seed))


def line_of(implementation: Implementation, plan: Plan, check: Check, dtype: str) -> Line:
    """What one check finds in one dtype on the families and on the problems drawn; the first call of a run draws them.

    Raises NothingCheckedError where every call of the implementation failed, so that the check never ran.
    """
    tally = Tally(implementation)
    claims = implementation.claims
    in_run = questions_in_run(claims, dtype, plan.profile, plan.seed)
    problems = [one.problem for one in in_run if check in one.checks]
    if check.group == "sizes":
        examine_sizes(tally, dtype, plan.profile.families)
    for problem in problems:
        add_results(tally, problem, (check,))
    line = tally.lines.get((check.name, dtype))
    if line is None and not problems:
        raise NothingCheckedError("no size was tried")
    if line is None:
        first = scope_of(claims).calls.answer(implementation, problems[0])
        raise NothingCheckedError(f"no call gave an answer to check: {first.fault}")
    return line


def diagnosis_of(implementation: Implementation, plan: Plan, line: Line, known: dict[str, Diagnosis]) -> Diagnosis:
    """What explains a line that failed.

    known: by dtype the diagnosis of the line that failed first, which is made once and serves those that follow.
    """
    explaining = scope_of(implementation.claims).explaining
    problems = problems_in_run(implementation.claims, line.dtype, plan.profile, plan.seed)
    failed = [line.check.name]
    with made_for("diagnosis"):
        if line.dtype in known:
            return explaining.diagnose_further(known[line.dtype], implementation, problems, failed)
        known[line.dtype] = explaining.diagnose(implementation, problems, failed, ())
    return known[line.dtype]


class NothingCheckedError(Exception):
    """A check applies to the problems of a run, but the implementation answered none of them."""


def _counts(check: Check, plan: Plan) -> bool:
    return check.failing_means != "inaccurate" or Verdict(plan.level) > Verdict.STABLE
