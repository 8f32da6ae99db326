"""What the checks of invariance put to an implementation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.bounds import derivative_bound, first_order, loss_bound
from gradlab.checks.check import Check
from gradlab.checks.invariants import (
    adding_2_to_30_exactly_changes_nothing,
    adding_a_constant_changes_nothing,
    batch_is_additive,
    entries_have_the_right_sign_and_size,
    gradient_is_lipschitz,
    neighbour,
    permuting_rows_permutes_the_gradient,
    rows_are_independent,
)
from gradlab.checks.table import CHECKS
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.implementations.accurate import accurate
from gradlab.implementations.shifted import shifted
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem, moderate_limit
from gradlab.result import Comparison, largest_ratio, worst_result
from gradlab.targets.load import load

(EVERY_OPTION,) = load("every_option", {})
INVARIANTS = [check for check in CHECKS if check.function.__module__.endswith(".invariants")]
STABLE = [check for check in INVARIANTS if check.failing_means != "inaccurate"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_constant_is_added_to_logits_that_keep_their_digits(dtype: str) -> None:
    problem = Problem(np.array([[0.3, -0.2, 1.1]]).astype(as_dtype(dtype)), np.array([0]))
    findings = adding_a_constant_changes_nothing(Implementation("shifted", shifted), problem)
    asked = worst_result("", problem, findings).asked
    assert asked is not None
    spacing = 4 * moderate_limit(problem.format, 3) * problem.format.unit_roundoff  # of numbers up to twice the limit
    np.testing.assert_allclose(np.diff(asked.logits64), np.diff(problem.logits64), rtol=0, atol=spacing)
    assert asked.logits64.min() > 1


def test_two_to_the_30_is_added_to_float64_logits_that_keep_their_digits() -> None:
    problem = Problem(np.array([[0.3, -0.2, 1.1]]), np.array([0]))
    findings = adding_2_to_30_exactly_changes_nothing(Implementation("shifted", shifted), problem)
    asked = worst_result("", problem, findings).asked
    assert asked is not None
    spacing = 2.0 ** (31 - 52)  # of float64 from 2^31 on
    np.testing.assert_allclose(asked.logits64 - 2.0**30, problem.logits64, rtol=0, atol=spacing / 2)
    assert np.abs(asked.logits64 - 2.0**30 - problem.logits64).max() > 0


@pytest.mark.parametrize("sign", [1, -1])
def test_entries_of_either_sign_may_not_exceed_their_share_of_the_mean(sign: int) -> None:
    def not_divided(logits: Array, labels: Array) -> tuple[Any, Array]:
        loss, gradient = shifted(logits, labels)
        return loss, np.where(np.sign(gradient) == sign, gradient * len(logits), gradient)

    problem = Problem(np.array([[5.0, 0.0], [5.0, 0.0]]), np.array([1, 1]))
    findings = entries_have_the_right_sign_and_size(Implementation("not_divided", not_divided), problem)
    assert not worst_result("", problem, findings).passed


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_constant_of_2_to_30_is_added_exactly_or_the_largest_that_the_format_can_hold(dtype: str) -> None:
    asked: list[Array] = []

    def notes(logits: Array, labels: Array) -> tuple[Any, Array]:
        asked.append(logits.astype(np.float64))
        loss, gradient = shifted(logits, labels)
        return loss, gradient

    problem = Problem(np.array([[100.0, -2.0, 1.1]]).astype(as_dtype(dtype)), np.array([0]))
    adding_2_to_30_exactly_changes_nothing(Implementation("notes", notes), problem)
    after, before = asked
    np.testing.assert_array_equal(after - before, 2.0 ** (13 if dtype == "float16" else 30))
    assert np.ptp(before) > 0
    spacing = 2.0**14 * problem.format.unit_roundoff if dtype == "float16" else 2.0**31 * problem.format.unit_roundoff
    assert np.abs(before).max() <= max(100.0, 4 * spacing)


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("check", STABLE, ids=lambda check: check.name)
def test_a_sound_implementation_keeps_every_invariant(check: Check, reduction: str) -> None:
    logits = np.random.default_rng(4).normal(0, 3, (4, 5))
    problem = Problem(logits, np.array([0, 4, 2, 2]), Objective(reduction=reduction))
    findings = check.function(EVERY_OPTION, problem)
    assert worst_result("", problem, findings).passed
    assert all(isinstance(finding.source, str) for finding in findings if isinstance(finding, Comparison))


def test_the_whole_batch_and_its_parts_may_each_be_off_by_their_bound() -> None:
    logits = np.array([[0.0, 1.0], [5.0, -4.0]])
    problem = Problem(logits, np.array([0, 1]), Objective(reduction="sum"))
    _, gradient = batch_is_additive(EVERY_OPTION, problem)
    assert isinstance(gradient, Comparison)
    own = first_order.gradient(problem)[0]
    np.testing.assert_allclose(gradient.tolerance[:2], 2 * own)


def test_the_gradient_may_not_move_further_than_half_of_what_the_logits_move() -> None:
    problem = Problem(np.array([[1.0, 0.5]]), np.array([0]))

    def jumps(factor: float) -> Implementation:
        half = np.linalg.norm(neighbour(problem).logits64 - problem.logits64) / 2

        def function(logits: Array, labels: Array) -> tuple[Any, Array]:
            moved = 0.0 if (logits == problem.logits).all() else factor * half
            return np.float64(1), np.array([[3.0, -1.0]]) + moved / np.sqrt(2)

        return Implementation("jumps", function)

    passed = [worst_result("", problem, gradient_is_lipschitz(jumps(f), problem)).passed for f in (0.99, 1.01)]
    assert passed == [True, False]


@pytest.mark.parametrize("reduction", ["none", "sum"])
@pytest.mark.parametrize("step", range(8))  # for each the rows come in another order
def test_a_row_may_be_off_by_its_own_bound_in_either_place(reduction: str, step: int) -> None:
    """The bound of each row goes with it: one row's is some hundred times the others'."""
    rows = [[300.0 + step, 0.0, -300.0, 299.5], [0.0, 0.5, 0.25, 0.75], [0.5, 0.0, 0.25, 0.75]]
    problem = Problem(np.array(rows, dtype=np.float32), np.array([3, 1, 2]), Objective(reduction))

    def off_by_its_bound(logits: Array, labels: Array, reduction: str = reduction) -> Any:
        asked = Problem(logits, labels, Objective(reduction))
        loss, gradient = accurate(logits.astype(np.float64), labels, reduction)
        sign = np.where(np.arange(len(logits)) % 2 == 0, 0.9, -0.9)
        by_row = sign if reduction == "none" else 0
        return loss + by_row * loss_bound(asked).error, gradient + sign[:, None] * derivative_bound(asked).error

    own = Implementation("off", off_by_its_bound, claims_from({"reduction": reduction}))
    assert largest_ratio(permuting_rows_permutes_the_gradient(own, problem)) <= 1


def test_a_row_that_another_one_makes_nan_is_what_is_seen() -> None:
    def shifted_by_the_largest_of_all(logits: Array, labels: Array) -> tuple[Any, Array]:
        p = np.exp(logits - logits.max())
        p = p / p.sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        loss = -np.log(p[rows, labels]).mean()
        p[rows, labels] -= 1
        return loss, p / len(labels)

    implementation = Implementation("global", shifted_by_the_largest_of_all)
    problem = Problem(np.array([[0.0, 1.0], [5000.0, 0.0]]), np.array([0, 0]))
    found = worst_result("", problem, rows_are_independent(implementation, problem))
    assert (found.observed, found.asked) == ("nan", None)
    assert found.expected.startswith("-0.3655")  # (p - 1) / 2 of its row alone
    assert found.expected != "nan"
