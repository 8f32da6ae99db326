"""What is remembered of problems: many small ones, few large ones, and the answers are those of the function."""

from __future__ import annotations

import numpy as np

from gradlab.problems.caching import FEW, LARGE, remember
from gradlab.problems.problem import Problem


def problem_of(size: int) -> Problem:
    return Problem(np.zeros((1, size)), np.array([0]))


def calls_for(problems: list[Problem]) -> list[int]:
    """The numbers of classes for which a function was called, when it is asked for each problem in turn, twice."""
    called: list[int] = []

    @remember(100)
    def n_classes(problem: Problem, times: int = 1) -> int:
        called.append(problem.n_classes)
        return problem.n_classes * times

    assert [n_classes(one) for one in problems * 2] == [one.n_classes for one in problems * 2]
    assert n_classes(problems[0], times=2) == 2 * problems[0].n_classes
    return called[:-1]


def test_small_problems_are_all_remembered() -> None:
    problems = [problem_of(size) for size in range(1, 50)]
    assert calls_for(problems) == [one.n_classes for one in problems]


def test_a_few_large_problems_are_remembered() -> None:
    problems = [problem_of(LARGE + 1 + i) for i in range(FEW)]
    assert calls_for(problems) == [one.n_classes for one in problems]


def test_no_more_than_a_few_large_problems_are_kept() -> None:
    problems = [problem_of(LARGE + 1 + i) for i in range(FEW + 1)]
    assert calls_for(problems) == [one.n_classes for one in problems] * 2


def test_large_problems_do_not_displace_small_ones() -> None:
    problems = [problem_of(size) for size in (1, LARGE, *range(LARGE + 1, LARGE + 10))]
    assert [size for size in calls_for(problems) if size <= LARGE] == [1, LARGE]
