"""Losses whose sum overflows although their mean does not: inf is a right answer then, and no other wrong one is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.checks.accuracy import loss_within_forward_error
from gradlab.checks.invariants import permuting_rows_permutes_the_gradient
from gradlab.evaluation.call import Implementation
from gradlab.implementations.shifted import shifted
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.placing import make_problem
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from gradlab.result import worst_result

LEAST = [0.5, 0.9, 0.7]  # of the largest number, a loss in each of three rows


def overflowing(dtype: str, reduction: str) -> Problem:
    fmt = format_of(dtype)
    rows = [[0.0, -share * fmt.largest] for share in LEAST]
    return make_problem(fmt, rows, [1, 1, 1]).replace(objective=Objective(reduction))


def with_loss(value: float) -> Callable[..., Any]:
    return lambda logits, labels: (logits.dtype.type(value), shifted(logits, labels)[1])


def summed_first(logits: Array, labels: Array) -> Any:
    with np.errstate(over="ignore"):
        losses = logits.max(axis=1) - logits[np.arange(len(logits)), labels]
        return losses.sum(dtype=logits.dtype) / logits.dtype.type(len(logits)), shifted(logits, labels)[1]


def passes(function: Callable[..., Any], problem: Problem) -> bool:
    found = loss_within_forward_error(Implementation("theirs", function), problem)
    return worst_result("loss", problem, found).passed


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("function", [with_loss(np.inf), summed_first, shifted], ids=["inf", "sum", "mean"])
def test_infinity_and_the_right_mean_are_accepted(function: Callable[..., Any], dtype: str) -> None:
    assert passes(function, overflowing(dtype, "mean"))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("value", [np.nan, -np.inf, 0.0, 1e4])
def test_anything_else_is_rejected(value: float, dtype: str) -> None:
    assert not passes(with_loss(value), overflowing(dtype, "mean"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("value", "accepted"), [(np.inf, True), (np.nan, False), (1e4, False)])
def test_sum_beyond_the_largest_number_must_be_infinite(value: float, accepted: bool, dtype: str) -> None:
    assert passes(with_loss(value), overflowing(dtype, "sum")) == accepted


@pytest.mark.parametrize("function", [summed_first, shifted], ids=["sum", "mean"])
def test_order_of_the_rows_may_decide_whether_the_sum_overflows(function: Callable[..., Any]) -> None:
    problem = overflowing("float32", "mean")
    found = permuting_rows_permutes_the_gradient(Implementation("theirs", function), problem)
    assert worst_result("rows", problem, found).passed
