"""What the checks of accuracy hold against an implementation: which entries, and what a claim allows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.checks.accuracy import (
    loss_within_a_few_ulp,
    other_entries_within_a_few_ulp,
    target_entry_within_a_few_ulp,
)
from gradlab.checks.check import Findings
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.implementations.widened import widened
from gradlab.problems.problem import Array, Problem
from gradlab.result import worst_result

PROBLEM = Problem(np.array([[1.0, -2.0, 0.5]], dtype=np.float32), np.array([1]))
SUBNORMAL = Problem(np.array([[0.0, -88.0]], dtype=np.float32), np.array([0]))  # loss and entries of about 6e-39


def off_in(column: int) -> Implementation:
    def function(logits: Array, labels: Array) -> tuple[Any, Array]:
        loss, gradient = widened(logits, labels)
        gradient[:, column] *= 1 + 100 * np.finfo(np.float32).eps
        return loss, gradient

    return Implementation("off", function, Claims())


def passes(findings: Findings) -> bool:
    return worst_result("", PROBLEM, findings).passed


@pytest.mark.parametrize(("column", "target", "others"), [(0, True, False), (1, False, True), (2, True, False)])
def test_the_target_s_entry_and_the_others_are_held_apart(column: int, target: bool, others: bool) -> None:
    implementation = off_in(column)
    assert passes(target_entry_within_a_few_ulp(implementation, PROBLEM)) == target
    assert passes(other_entries_within_a_few_ulp(implementation, PROBLEM)) == others


def flushes(logits: Array, labels: Array) -> tuple[Any, Array]:
    loss, gradient = widened(logits, labels)
    tiny = np.finfo(np.float32).tiny
    return np.where(loss < tiny, np.float32(0), loss)[()], np.where(np.abs(gradient) < tiny, np.float32(0), gradient)


def test_subnormal_results_may_be_flushed_where_that_is_claimed() -> None:
    silent = Implementation("flushes", flushes, Claims())
    claimed = replace(silent, claims=Claims(flushes_subnormals=True))
    assert worst_result("", SUBNORMAL, loss_within_a_few_ulp(claimed, SUBNORMAL)).ratio == 0
    assert not passes(loss_within_a_few_ulp(silent, SUBNORMAL))


def test_what_is_no_smaller_than_flushed_results_is_not_excused_by_the_claim() -> None:
    implementation = replace(off_in(0), claims=Claims(flushes_subnormals=True))
    assert not passes(other_entries_within_a_few_ulp(implementation, PROBLEM))
