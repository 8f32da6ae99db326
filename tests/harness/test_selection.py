"""Which checks are asked on which problems: what makes calls of its own on some, everything else on all."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from gradlab.checks.table import CHECKS, applicable
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.few import few_of_each
from gradlab.harness.length import n_calls
from gradlab.harness.logits_problems import kept_drawn_problems
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import run_checks
from gradlab.harness.search import drawn_problems
from gradlab.harness.selection import Question, questions_in_run
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Problem

QUICK = PROFILES["quick"]
OPTIONS = {
    "reduction": ["mean", "none"],
    "targets": ["index", "probability"],
    "options": ["label_smoothing", "class_weights", "ignore_index"],
}


def asked(claims: Claims) -> tuple[Question, ...]:
    return questions_in_run(claims, "float64", QUICK, 0)


@pytest.mark.parametrize("named", [{}, OPTIONS], ids=["plain", "options"])
def test_what_calls_again_is_asked_on_some_problems_and_all_else_on_all(named: dict[str, Any]) -> None:
    claims = claims_from(named)
    for question in asked(claims):
        left_out = {*applicable(claims, question.problem)} - {*question.checks}
        assert all(check.makes_calls for check in left_out)
        assert [check for check in CHECKS if check in question.checks] == list(question.checks)


@pytest.mark.parametrize("named", [{}, OPTIONS], ids=["plain", "options"])
def test_what_applies_somewhere_is_asked_of_every_kind_of_objective_to_which_it_applies(named: dict[str, Any]) -> None:
    claims = claims_from(named)

    def kinds(pairs: Any) -> set[Any]:
        return {
            (check.name, one.objective.reduction, one.objective.targets, *sorted(one.objective.options))
            for one, checks in pairs
            for check in checks
        }

    put = kinds((question.problem, question.checks) for question in asked(claims))
    assert put == kinds((question.problem, applicable(claims, question.problem)) for question in asked(claims))


def test_as_many_problems_are_asked_as_the_profile_says_and_families_in_turn() -> None:
    moderate = [question for question in asked(Claims()) if question.problem.is_moderate]
    counts = Counter(check.name for question in moderate for check in question.checks if check.makes_calls)
    assert max(counts.values()) == counts["calls_leave_no_state"] == QUICK.asked
    of_states = [
        one.problem.family for one in asked(Claims()) if "calls_leave_no_state" in {c.name for c in one.checks}
    ]
    assert len(set(of_states)) == len(of_states)


def test_quick_makes_at_most_3000_calls_of_a_plain_function() -> None:
    calls = 0

    def counted(logits: Any, labels: Any) -> Any:
        nonlocal calls
        calls += 1
        return shifted(logits, labels)

    claims = claims_from({"dtypes": ["float32", "float64"]})
    report = run_checks(Implementation("counted", counted, claims), Plan(QUICK, 0, power=False))
    assert report.met
    assert 1000 < calls <= 3000
    assert 0.5 < calls / n_calls(claims, QUICK, claims.dtypes, 0) < 3  # as it is told beforehand


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("named", [{}, {**OPTIONS, "derivative": "hessian_vector_product"}], ids=["plain", "options"])
def test_problems_that_are_kept_are_those_that_were_drawn(named: dict[str, Any], dtype: str) -> None:
    claims = claims_from({**named, "dtypes": [dtype]})
    drawn = drawn_problems(claims, dtype, 60, 3)
    for _ in range(2):
        kept_drawn_problems.cache_clear()
        kept = kept_drawn_problems(claims, dtype, 60, 3)
        assert [one.digest for one in kept] == [one.digest for one in drawn]
        assert [one.family for one in kept] == [one.family for one in drawn]
        assert [one.logits.tobytes() for one in kept] == [one.logits.tobytes() for one in drawn]


@pytest.mark.parametrize("number", [1, 2, 5, 6, 10])
def test_one_problem_of_so_many_families_is_taken_and_of_all_where_there_are_no_more(number: int) -> None:
    families = ["a", "b", "b", "c", "d", "d", "e"]
    problems = tuple(Problem(np.zeros((1, 2)), np.zeros(1, dtype=int), family=family) for family in families)
    taken = [problem.family for problem in few_of_each(problems, number)]
    assert taken == sorted(set(taken))
    assert len(taken) == min(number, 5)
