"""The first calls of a run: where all of them give a wrong kind of answer, it ends with what to do about that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from gradlab.evaluation.call import Implementation, answer_to_call, call_for, made_for, perform
from gradlab.evaluation.wrong_kinds import advice_on
from gradlab.problems.families.options import one_hot
from gradlab.problems.problem import Problem

CALLS = 3  # of a wrong kind, after which a run ends
PURPOSE = "first calls"


def advice_on_first_calls(implementation: Implementation, problems: Sequence[Problem]) -> tuple[str, list[Problem]]:
    """What to do where the first calls all give the same wrong kind of answer, else ""; and the problems asked.

    They are on problems with several rows and classes, not as many of the one as of the other.
    """
    with made_for(PURPOSE):
        asked = list(islice((problem for problem in problems if _is_plain(problem)), CALLS))
        said = {_advice(implementation, problem) for problem in asked}
    return (said.pop(), asked) if len(asked) == CALLS and len(said) == 1 else ("", asked)


def _is_plain(problem: Problem) -> bool:
    n, k = problem.logits.shape
    return n > 2 and k > 2 and n != k and problem.is_moderate and not problem.objective.options


def _advice(implementation: Implementation, problem: Problem) -> str:
    outcome = perform(implementation.function, call_for(implementation, problem), implementation.capture)
    found = advice_on(implementation, problem, outcome)
    if not found and outcome.error is not None and _takes_one_hot(implementation, problem):
        return "it looks as if it wants one-hot targets: claim targets=one_hot"
    return found


def _takes_one_hot(implementation: Implementation, problem: Problem) -> bool:
    """Whether it answers the same problem where its labels are spelled as one-hot rows."""
    if problem.objective.targets != "index":
        return False
    call = replace(call_for(implementation, problem), targets=one_hot(problem).targets.copy())
    return answer_to_call(implementation, call, problem.objective.reduction).loss is not None
