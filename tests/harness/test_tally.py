"""The tally: what it counts, which result it keeps, and which of the failing problems it calls the simplest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradlab.checks.check import Check, Findings
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.logits_scope import complexity
from gradlab.harness.tally import Line, Tally, add_results, examine, results_of
from gradlab.harness.verdict import Verdict
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Array, Problem
from gradlab.result import Comparison

SOUND = Implementation("shifted", shifted, Claims())


def with_logit(x: float) -> Problem:
    return Problem(np.array([[0.0, x]]), np.array([0]))


def last_logit(implementation: Implementation, problem: Problem) -> Findings:
    """A finding whose ratio is the last logit: above 1 it fails."""
    ratio = problem.logits64[:, -1]
    return [Comparison("logit[{}]", ratio, ratio, np.ones(len(ratio)), ratio, "")]


def check(failing_means: str = "wrong", needs_answer: bool = True) -> Check:
    return Check(last_logit, "accuracy", lambda claims, problem: True, failing_means, None, needs_answer)


def after(*problems: Problem, means: str = "wrong", level: Verdict = Verdict.ACCURATE) -> Tally:
    tally = Tally(SOUND, level)
    for problem in problems:
        add_results(tally, problem, [check(means)])
    return tally


def only_line(tally: Tally) -> Line:
    (line,) = tally.lines.values()
    return line


def test_problems_and_failures_are_counted_from_none() -> None:
    line = only_line(after(*(with_logit(x) for x in (0.5, 2.0, 0.25, 3.0))))
    assert (line.n_problems, line.n_failed, line.passed) == (4, 2, False)


def test_a_problem_that_is_examined_counts_once() -> None:
    tally = Tally(SOUND)
    assert tally.n_problems == 0
    examine(tally, with_logit(0.5))
    assert tally.n_problems == 1


def test_a_line_without_failures_has_passed_and_shows_no_problem() -> None:
    line = only_line(after(with_logit(0.5), with_logit(1.0)))
    assert line.passed
    assert line.simplest is None
    assert line.verdict == "accurate"


@pytest.mark.parametrize("order", [(0.5, 2.0, 0.25), (2.0, 0.25, 0.5), (0.25, 0.5, 2.0)])
def test_the_largest_ratio_is_kept_in_whatever_order_it_comes(order: tuple[float, ...]) -> None:
    assert only_line(after(*map(with_logit, order))).worst.ratio == 2.0


def test_of_equal_ratios_the_first_is_kept() -> None:
    first, second = with_logit(2.0), Problem(np.array([[1.0, 2.0]]), np.array([0]))
    assert only_line(after(first, second)).worst.problem is first


@pytest.mark.parametrize("order", [(math.nan, 5.0), (5.0, math.nan)])
def test_nan_is_the_largest_ratio(order: tuple[float, ...]) -> None:
    assert math.isnan(only_line(after(*map(with_logit, order))).worst.ratio)


@pytest.mark.parametrize("order", [(2.0, 3.5, 0.5), (3.5, 0.5, 2.0)])
def test_the_simplest_problem_is_one_that_fails(order: tuple[float, ...]) -> None:
    simplest = only_line(after(*map(with_logit, order))).simplest
    assert simplest is not None
    assert simplest.problem.logits64[0, 1] == 2.0


@pytest.mark.parametrize("order", [(1e4, 2.5), (2.5, 1e4)])
def test_the_simplest_problem_is_of_those_that_cost_the_verdict_most(order: tuple[float, ...]) -> None:
    line = only_line(after(*map(with_logit, order)))
    assert line.simplest is not None
    assert line.simplest.problem.logits64[0, 1] == 2.5  # the other is no moderate problem: unstable
    assert line.verdict == "wrong"


@pytest.mark.parametrize(("level", "kept"), [("accurate", True), ("stable", False), ("unstable", False)])
def test_a_failing_problem_is_kept_where_it_costs_the_level(level: str, kept: bool) -> None:
    problem = with_logit(2.0)
    tally = after(problem, means="inaccurate", level=Verdict(level))
    assert (problem.digest in tally.failing) == kept


@pytest.mark.parametrize(("means", "verdict"), [("inaccurate", "accurate"), ("wrong", "stable")])
def test_nothing_is_accurate_unless_a_check_of_that_level_ran(means: str, verdict: str) -> None:
    assert after(with_logit(0.5), means=means).verdict() == verdict


def test_only_what_needs_no_answer_is_asked_where_there_is_none() -> None:
    def silent(logits: Array, labels: Array) -> Any:
        return None

    checks = [check(needs_answer=True), check(needs_answer=False)]
    asked = results_of(checks, Implementation("silent", silent, Claims()), with_logit(0.5))
    assert [one.needs_answer for one, _ in asked] == [False]
    assert len(list(results_of(checks, SOUND, with_logit(0.5)))) == 2


SIMPLER_FIRST = [  # one logit more, one row more, then what makes a number awkward
    ([[5.5]], [[0.0, 1.0]]),
    ([[0.5, 7.0]], [[1.0], [1.0]]),
    ([[7.0, 8.0]], [[0.5, 0.0]]),
    ([[999999.0, 999999.0]], [[1e6, 0.0]]),
    ([[0.0, 9.0]], [[1.0, 1.0]]),
    ([[0.0, 1.0]], [[0.0, -2.0]]),
]


@pytest.mark.parametrize(("simple", "less"), SIMPLER_FIRST)
def test_fewer_entries_rows_awkward_and_other_logits_are_simpler(
    simple: list[list[float]], less: list[list[float]]
) -> None:
    first, second = (Problem(np.array(rows), np.zeros(len(rows), dtype=np.int64)) for rows in (simple, less))
    assert complexity(first) < complexity(second)
