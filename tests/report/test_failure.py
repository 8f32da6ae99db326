"""A failure in words: exact numbers, both problems, the tolerance and its source."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.harness.run import Report
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.report.failure import SHOWN_CHARACTERS, SHOWN_ENTRIES, failure_text, measured, numbers, short, snippet
from gradlab.result import Result

Reports = dict[str, Report]
ZEROS = Problem(np.zeros((1, 2), dtype=np.float32), np.array([1]))


def result(**changes: Any) -> Result:
    fields: dict[str, Any] = {
        "check": "rows_sum_to_zero", "dtype": "float32", "ratio": 2.0, "where": "gradient[0].sum()",
        "observed": "0.5 (0x1.0000000000000p-1)", "expected": "0", "tolerance": 0.25, "source": "rounding", "ulp": None,
        "problem": ZEROS,
    }  # fmt: skip
    return Result(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "gradient[0].sum() = 0.5 (0x1.0000000000000p-1), must be 0 within 0.25 (bound: rounding)"),
        ({"tolerance": None, "source": "exact"}, "gradient[0].sum() = 0.5 (0x1.0000000000000p-1), must be 0"),
        ({"tolerance": float("nan"), "ulp": 7.0, "source": "19 ULP"},
         "gradient[0].sum() = 0.5 (0x1.0000000000000p-1), must be 0 (bound: 19 ULP), off by 7 ULP"),
        ({"ulp": float("inf")},
         "gradient[0].sum() = 0.5 (0x1.0000000000000p-1), must be 0 within 0.25 (bound: rounding), off by inf ULP"),
    ],
)  # fmt: skip
def test_what_was_measured(changes: dict[str, Any], text: str) -> None:
    assert measured(result(**changes)) == text


def test_a_long_story_is_cut() -> None:
    assert short("x" * 1000) == "x" * SHOWN_CHARACTERS + "..."
    assert short("x" * SHOWN_CHARACTERS) == "x" * SHOWN_CHARACTERS


@pytest.mark.parametrize(
    ("rows", "dtype", "text"),
    [
        ([[0, 1], [-2, 1e30]], "float64", "[[0, 1], [-2, 1e+30]]"),
        ([[0.1, 0.2]], "float32", "[[0.1, 0.2]]"),
        ([[1 / 3]], "float64", "[[0.3333333333333333]]"),
        ([[1 / 3]], "float32", "[[0.33333334]]"),
        ([[1 / 3]], "float16", "[[0.3333]]"),
        ([[np.nan, np.inf, -np.inf, -0.0]], "float32", "[[nan, inf, -inf, -0]]"),
    ],
)
def test_numbers_are_as_short_as_they_can_be(rows: Any, dtype: str, text: str) -> None:
    assert numbers(np.asarray(rows, dtype=np.float64).astype(as_dtype(dtype))) == text


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_numbers_read_back_exactly(dtype: str) -> None:
    rng = np.random.default_rng(5)
    bits = rng.integers(0, 256, (20, 20 * as_dtype(dtype).itemsize), dtype=np.uint8)
    values = np.ascontiguousarray(bits).view(as_dtype(dtype))
    with np.errstate(invalid="ignore"):
        values = values[np.isfinite(values.astype(np.float64)).all(axis=1)]
        back = np.array(eval(numbers(values), {"float": float})).astype(as_dtype(dtype))
    assert values.size
    assert back.tobytes() == values.tobytes()


def test_a_snippet_can_be_pasted() -> None:
    assert snippet(ZEROS) == "logits [[0, 0]], labels [1]"


def test_a_snippet_says_what_is_not_the_default() -> None:
    problem = Problem(np.zeros((1, 2)), np.array([[0.5, 1]]), Objective("sum", "probability", 0.1, (1.0, 2.0)))
    assert snippet(problem) == (
        "logits [[0, 0]], targets [[0.5, 1]], reduction sum, label_smoothing 0.1, class_weights (1.0, 2.0)"
    )


def test_a_large_problem_is_left_to_its_case() -> None:
    wide = Problem(np.zeros((1, SHOWN_ENTRIES + 1)), np.array([0]))
    assert snippet(wide) == f"1 x {SHOWN_ENTRIES + 1} logits"


def test_a_failure_shows_the_worst_and_the_simplest_problem(reports: Reports) -> None:
    report = reports["unstable"]
    line = next(
        line
        for line in report.failures
        if line.simplest is not None and line.simplest.problem.digest != line.worst.problem.digest
    )
    text = failure_text(report.implementation, line).splitlines()
    assert text[0].startswith(f"FAIL {line.check.name}  textbook  {line.dtype}  (unstable: {line.n_failed} of ")
    assert text[1] == f"  {measured(line.worst)}"
    assert text[2].startswith("  worst problem (small): ")
    assert line.simplest is not None
    assert text[3] == f"  simplest problem (small): {snippet(line.simplest.problem)}"
    assert text[4] == f"    {measured(line.simplest)}"


def test_one_problem_is_shown_once(reports: Reports) -> None:
    report = reports["unstable"]
    line = next(
        line
        for line in report.failures
        if line.simplest is not None and line.simplest.problem.digest == line.worst.problem.digest
    )
    assert failure_text(report.implementation, line).splitlines()[2].startswith("  problem (small): ")
