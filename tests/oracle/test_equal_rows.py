"""Rows that come again: each kind is answered once, and the answers are those of all rows, in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.oracle.enclosure import enclose
from gradlab.oracle.exact import equal_rows as module
from gradlab.oracle.exact.balls import answer_rows
from gradlab.oracle.exact.canonical import row_kinds
from gradlab.oracle.exact.equal_rows import MIN_ROWS, EqualRows, answer_each_kind_once, equal_rows
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

REDUCTIONS = ("none", "sum", "mean")
ENDS = ("high", "low", "radius", "exponent")


def of_few_kinds(dtype: str, objective: Objective, n_rows: int = 3 * MIN_ROWS, masked: bool = False) -> Problem:
    """Rows of 7 kinds, in an order at random; if masked, those of one kind have an infinite loss, of another none."""
    rng = np.random.default_rng(n_rows)
    logits = rng.normal(size=(7, 5))
    if masked:
        logits[2, :3], logits[4, 1] = -np.inf, np.nan
    shares = rng.dirichlet(np.ones(5), 7).astype(as_dtype(dtype))
    targets = shares if objective.targets == "probability" else np.array([0, 4, 1, 1, 2, 3, 0])
    kinds = rng.integers(0, 7, n_rows)
    return Problem(logits.astype(as_dtype(dtype))[kinds], targets[kinds], objective)


def found(problem: Problem) -> EqualRows | None:
    return equal_rows(problem, row_kinds(problem).regular)


def are_same(one: Any, other: Any) -> bool:
    return all(np.array_equal(getattr(one, end), getattr(other, end), equal_nan=True) for end in ENDS)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("masked", [False, True])
def test_the_truth_is_that_of_all_rows(
    monkeypatch: pytest.MonkeyPatch, dtype: str, reduction: str, masked: bool
) -> None:
    problem = of_few_kinds(dtype, Objective(reduction=reduction), masked=masked)
    equal = found(problem)
    assert equal is not None
    assert len(equal.first) == (5 if masked else 7)
    truth = enclose(problem)
    monkeypatch.setattr(module, "MIN_ROWS", problem.n_rows + 1)
    from gradlab.oracle import enclosure

    monkeypatch.setattr(enclosure, "_remembered", type(enclosure._remembered)())
    other = enclose(problem)
    assert other is not truth
    assert are_same(truth.loss, other.loss)
    assert are_same(truth.losses, other.losses)
    assert are_same(truth.gradient, other.gradient)


@pytest.mark.parametrize("targets", ["index", "probability"])
def test_rows_with_the_same_logits_and_another_target_are_of_another_kind(targets: str) -> None:
    problem = of_few_kinds("float32", Objective(targets=targets))
    alike = problem.replace(logits=np.zeros_like(problem.logits))
    equal = found(alike)
    assert equal is not None
    assert len(equal.first) == len(np.unique(problem.targets, axis=0))


def test_rows_are_compared_bit_by_bit() -> None:
    logits = np.zeros((2 * MIN_ROWS, 2), np.float32)
    logits[::2] = -0.0
    equal = found(Problem(logits, np.zeros(len(logits), np.int64)))
    assert equal is not None
    assert len(equal.first) == 2


def test_each_kind_is_given_once_and_answers_come_in_the_order_of_the_rows() -> None:
    problem = of_few_kinds("float64", Objective(reduction="none"))
    rows = row_kinds(problem).regular[::-1]
    given: list[int] = []

    def noting(problem: Problem, some: Any) -> Any:
        given.extend(some.tolist())
        return answer_rows(problem, some)

    answers = answer_each_kind_once(problem, rows, noting)
    assert len(given) == 7
    plain = answer_rows(problem, rows)
    assert are_same(answers.gradient, plain.gradient)
    assert [float(loss) for loss in answers.losses] == [float(loss) for loss in plain.losses]


@pytest.mark.parametrize(
    "problem",
    [
        of_few_kinds("float32", Objective(), MIN_ROWS - 1),
        Problem(np.random.default_rng(0).normal(size=(2 * MIN_ROWS, 3)), np.zeros(2 * MIN_ROWS, np.int64)),
        of_few_kinds("float32", Objective(sample_weights=tuple(np.arange(1.0, 3 * MIN_ROWS + 1)))),
    ],
    ids=["few rows", "all different", "weights of single rows"],
)
def test_where_it_saves_nothing_or_rows_have_options_of_their_own_all_are_given(problem: Problem) -> None:
    assert found(problem) is None
