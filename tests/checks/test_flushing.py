"""Code that claims to flush subnormal numbers is held to no more, in any check; what it does not claim still counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.checks.flushing import flushed
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.tally import Tally, examine
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

TINY = float(np.finfo(np.float32).tiny)
ROWS = ([[-5, 6, 7], [-5, 6, 7]], [1, 0])
BATCH = ([[0, 3, 1], [2, 2, 2], [-4, 0, 9], [1, -1, 0.5]], [1, 0, 0, 2])
PROBLEMS: tuple[tuple[Any, Mapping[str, Any]], ...] = (
    (ROWS, {"upstream": (2.0, TINY)}),
    (ROWS, {"upstream": (TINY, 3 * TINY)}),
    (BATCH, {"upstream": (TINY, 1.0, 2 * TINY, 5 * TINY)}),
    (([[0, -87.5]], [0]), {}),
    (([[88, 0, 1], [0, 0, 87]], [0, 2]), {}),
)


def flush(values: Array) -> Array:
    return np.where(np.abs(values) < np.finfo(values.dtype).tiny, values.dtype.type(0), values)


def flushing(logits: Array, labels: Array, upstream: Array | None = None) -> tuple[Array, Array]:
    """The complement form in float64, rounded once, as a compiler leaves it that flushes what is subnormal."""
    x, rows = logits.astype(np.float64), np.arange(len(labels))
    e = np.exp(x - x.max(axis=1, keepdims=True))
    others = e.copy()
    others[rows, labels] = 0
    gradient = others / e.sum(axis=1, keepdims=True)
    gradient[rows, labels] = -gradient.sum(axis=1)
    losses = np.log1p(np.expm1(-np.log(1 + gradient[rows, labels])))
    scale = 1.0 if upstream is None else upstream.astype(np.float64)[:, None]
    return flush(losses.astype(logits.dtype)), flush((gradient * scale).astype(logits.dtype))


def off_by_more(logits: Array, labels: Array, upstream: Array | None = None) -> tuple[Array, Array]:
    losses, gradient = flushing(logits, labels, upstream)
    gradient[:, 0] += gradient.dtype.type(1e6 * TINY)
    return losses, gradient


CLAIMED = Claims(reduction=("none",), options=("upstream",), flushes_subnormals=True)


def failed_checks(function: Any, claims: Claims, rows: Any, options: Mapping[str, Any]) -> set[str]:
    logits, labels = rows
    problem = Problem(np.array(logits, dtype=np.float32), np.array(labels), Objective("none", **options))
    implementation = Implementation("f", function, claims)
    tally = Tally(implementation)
    examine(tally, problem)
    return {line.check.name for line in tally.in_order() if not line.passed and str(line.verdict) != "accurate"}


@pytest.mark.parametrize(("rows", "options"), PROBLEMS)
def test_no_check_holds_flushed_results_against_code_that_claims_to_flush(
    rows: Any, options: Mapping[str, Any]
) -> None:
    assert failed_checks(flushing, CLAIMED, rows, options) == set()


def some_flushed(logits: Array, labels: Array, upstream: Array | None = None) -> tuple[Array, Array]:
    """The label's entry is just a normal number, as the product is rounded, and the others are flushed."""
    losses, gradient = flushing(logits, labels, upstream)
    if upstream is not None:
        gradient[upstream == np.float32(TINY), 0] = -np.float32(TINY)
    return losses, gradient


SUMS = (([[-5, 6, 7], [-5, 6, 7]], [0, 0]), {"upstream": (2.0, TINY)})


def test_a_row_of_which_some_entries_are_flushed_sums_to_0_by_that_claim_alone() -> None:
    assert failed_checks(some_flushed, CLAIMED, *SUMS) == set()
    assert "rows_sum_to_zero" in failed_checks(some_flushed, replace(CLAIMED, flushes_subnormals=False), *SUMS)


@pytest.mark.parametrize(("rows", "options"), PROBLEMS[:3])
def test_an_error_above_what_is_flushed_is_found(rows: Any, options: Mapping[str, Any]) -> None:
    assert "rows_sum_to_zero" in failed_checks(off_by_more, CLAIMED, rows, {"upstream": (TINY,) * len(rows[1])})


def test_nothing_is_allowed_without_the_claim() -> None:
    problem = Problem(np.zeros((1, 3), dtype=np.float32), np.array([0]))
    assert flushed(Implementation("f", flushing, Claims()), problem) == 0
    assert flushed(Implementation("f", flushing, CLAIMED), problem, problem) >= 2 * TINY
