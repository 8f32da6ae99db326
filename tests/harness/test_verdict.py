"""The verdict: its order, and what each kind of failure leaves of it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from gradlab.checks.check import Check, Findings
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.verdict import Verdict, is_advice, verdict_of_failure, verdict_of_failures
from gradlab.problems.problem import Problem

NAMES = ("wrong", "unstable", "stable", "accurate")
PROBLEMS = {
    "moderate": Problem(np.array([[0.0, 1.0]]), np.array([0])),
    "extreme": Problem(np.array([[0.0, 1000.0]]), np.array([0])),
    "masked": Problem(np.array([[0.0, -np.inf]]), np.array([0])),
    "moderate, of a stress family": Problem(np.zeros((1, 2)), np.array([0]), family="many_equal"),
    "empty": Problem(np.zeros((0, 2)), np.zeros(0, dtype=np.int64)),
}

LEFT = [  # what failing means, on which problem, what is left
    ("wrong", "moderate", "wrong"),
    ("wrong", "empty", "wrong"),
    ("wrong", "extreme", "unstable"),
    ("wrong", "moderate, of a stress family", "wrong"),
    ("wrong", "masked", "unstable"),
    ("unstable", "moderate", "unstable"),
    ("unstable", "extreme", "unstable"),
    ("inaccurate", "moderate", "stable"),
    ("inaccurate", "extreme", "stable"),
    ("advice", "moderate", "accurate"),
]


def fact(implementation: Implementation, problem: Problem) -> Findings:
    return []


def check(failing_means: str, claim: str | None = None) -> Check:
    return Check(fact, "contract", lambda claims, problem: True, failing_means, claim)


@pytest.mark.parametrize(("low", "high"), list(itertools.combinations(NAMES, 2)))
def test_verdicts_are_ordered_and_compare_with_names(low: str, high: str) -> None:
    assert Verdict(low) < Verdict(high)
    assert Verdict(low) < high
    assert Verdict(high) >= low
    assert low <= Verdict(high)
    assert not Verdict(low) >= high


@pytest.mark.parametrize("name", NAMES)
def test_verdict_equals_and_reads_as_its_name(name: str) -> None:
    assert Verdict(name) == name
    assert str(Verdict(name)) == name
    assert {Verdict(name): 1}[Verdict(name)] == 1


def test_comparison_with_no_verdict_is_an_error() -> None:
    with pytest.raises(ValueError, match="perfect"):
        assert Verdict.STABLE >= "perfect"


@pytest.mark.parametrize(("means", "problem", "left"), LEFT)
def test_failure_leaves_the_verdict_of_its_kind(means: str, problem: str, left: str) -> None:
    assert verdict_of_failure(check(means), Claims(), PROBLEMS[problem]) == left


@pytest.mark.parametrize(("claims", "left"), [(Claims(), "accurate"), (Claims(keeps_dtype=True), "wrong")])
def test_failing_what_is_not_claimed_lowers_nothing(claims: Claims, left: str) -> None:
    claimed = check("wrong", "keeps_dtype")
    assert verdict_of_failure(claimed, claims, PROBLEMS["moderate"]) == left
    assert is_advice(claimed, claims) == (left == "accurate")


@pytest.mark.parametrize(("n_failed", "left"), [(1, "accurate"), (2, "accurate"), (3, "unstable")])
def test_a_probable_bound_lowers_the_verdict_where_several_problems_fail_it(n_failed: int, left: str) -> None:
    improbable = check("improbable")
    one = verdict_of_failure(improbable, Claims(), PROBLEMS["moderate"])
    assert verdict_of_failures(improbable, one, n_failed) == left


@pytest.mark.parametrize("claims", [Claims(), Claims(keeps_dtype=True)])
def test_an_advice_is_an_advice_whatever_is_claimed(claims: Any) -> None:
    assert is_advice(check("advice"), claims)
    assert not is_advice(check("wrong"), claims)
