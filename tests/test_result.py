"""Ratios of error to tolerance, the worst of them, and how they are written down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.problems.problem import Problem
from gradlab.result import (
    BY_OTHER_ANSWERS,
    SHOWN_CHARACTERS,
    Comparison,
    Fact,
    Result,
    at_most,
    cut,
    largest_ratio,
    number,
    ratio_of,
    within,
    worst_result,
)

INF, NAN = np.inf, np.nan
PROBLEM = Problem(np.array([[0.0, 1.0]], dtype=np.float32), np.array([1]))

WITHIN = [  # observed, expected, tolerance, ratio
    (1.5, 1.0, 1.0, 0.5),
    (1.0, 1.0, 0.0, 0.0),
    (1.0, 2.0, 0.0, INF),
    (INF, INF, 1.0, 0.0),
    (-INF, INF, 1.0, INF),
    (INF, 1.0, 1.0, INF),
    (INF, 1.0, INF, 0.0),
    (NAN, NAN, 1.0, 0.0),
    (NAN, 1.0, 1.0, NAN),
    (1.0, NAN, 1.0, NAN),
    (NAN, 1.0, INF, NAN),
    (1.0, 2.0, NAN, NAN),
]

AT_MOST = [  # observed, limit, tolerance, ratio
    (0.5, 1.0, 0.0, 0.0),
    (1.0, 1.0, 0.0, 0.0),
    (3.0, 1.0, 4.0, 0.5),
    (1.1, 1.0, 0.0, INF),
    (-INF, 1.0, 0.0, 0.0),
    (INF, INF, 0.0, 0.0),
    (INF, 1.0, 4.0, INF),
    (NAN, 1.0, 4.0, NAN),
    (1.0, NAN, 4.0, NAN),
]


@pytest.mark.parametrize(("observed", "expected", "tolerance", "ratio"), WITHIN)
def test_distance_is_divided_by_the_tolerance(observed: float, expected: float, tolerance: float, ratio: float) -> None:
    np.testing.assert_array_equal(within("x", observed, expected, tolerance, "").ratio, ratio)


@pytest.mark.parametrize(("observed", "limit", "tolerance", "ratio"), AT_MOST)
def test_excess_over_a_limit_is_divided_by_the_tolerance(
    observed: float, limit: float, tolerance: float, ratio: float
) -> None:
    np.testing.assert_array_equal(at_most("x", observed, limit, tolerance, "").ratio, ratio)


def test_ratio_of_arrays_is_taken_entry_by_entry() -> None:
    ratio = ratio_of(np.array([0.0, 1.0, 1.0, NAN]), np.array([0.0, 0.0, 4.0, INF]))
    np.testing.assert_array_equal(ratio, [0, INF, 0.25, NAN])


def test_one_tolerance_serves_all_entries() -> None:
    comparison = within("x[{}]", [1.0, 2.0], [1.0, 1.0], 2.0, "source")
    np.testing.assert_array_equal(comparison.tolerance, [2, 2])
    np.testing.assert_array_equal(comparison.ratio, [0, 0.5])


def result_of(*findings: Comparison | Fact) -> Any:
    return worst_result("check", PROBLEM, list(findings))


def test_worst_entry_is_named_with_both_values_and_the_tolerance() -> None:
    worst = result_of(within("g[{}, {}]", [[0.0, 1.0], [5.0, 0.0]], np.zeros((2, 2)), 4.0, "bound"))
    assert (worst.where, worst.observed, worst.expected) == ("g[1, 0]", "5 (0x1.4000000000000p+2)", "0")
    assert (worst.ratio, worst.tolerance, worst.source, worst.dtype) == (1.25, 4.0, "bound", "float32")
    assert not worst.passed


def test_worst_of_several_findings_is_kept() -> None:
    good, bad = within("a", 1.0, 1.0, 1.0, ""), within("b", 3.0, 1.0, 1.0, "")
    assert result_of(good, bad, Fact("c", "1", "1", True)).where == "b"


def test_nan_counts_as_the_largest_ratio_and_never_passes() -> None:
    worst = result_of(within("x[{}]", [7.0, NAN], [0.0, 0.0], 1.0, ""), Fact("fact", "no", "yes", False))
    assert worst.where == "x[1]"
    assert not worst.passed


@pytest.mark.parametrize(("holds", "ratio"), [(True, 0.0), (False, INF)])
def test_fact_holds_or_is_infinitely_wrong(holds: bool, ratio: float) -> None:
    found = result_of(Fact("dtype", "float64", "float32", holds))
    assert (found.ratio, found.passed) == (ratio, holds)
    assert (found.observed, found.expected, found.tolerance) == ("float64", "float32", None)


def test_check_without_findings_passes() -> None:
    assert result_of().passed


def test_comparison_of_no_entries_passes() -> None:
    assert result_of(within("x[{}]", np.zeros(0), np.zeros(0), 0.0, "")).passed


def test_expected_value_and_ulp_of_the_worst_entry_are_those_of_the_comparison() -> None:
    entries = np.array([1.0, 2.0])
    comparison = Comparison(
        "x[{}]", entries, 0 * entries, entries, entries, "", lambda index: f"in {index}", lambda i: 3.0 * (i[0] + 1)
    )
    assert (result_of(comparison).expected, result_of(comparison).ulp) == ("in (1,)", 6.0)


@pytest.mark.parametrize("expected", [NAN, INF, -INF])
def test_no_number_is_to_be_nan_but_what_another_answer_gives(expected: float) -> None:
    failed = result_of(within("x[{}]", [-0.25], [expected], [1e-3], "both answers"))
    text = f"x[0] = -0.25 (-0x1.0000000000000p-2), must be {BY_OTHER_ANSWERS} {expected} (bound: both answers)"
    assert failed.sentence() == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.1, "0.1 (0x1.999999999999ap-4)"), (NAN, "nan"), (-INF, "-inf"), (2, "2 (0x1.0000000000000p+1)")],
)
def test_number_is_written_in_decimal_and_hexadecimal(value: float, text: str) -> None:
    assert number(value) == text


ZEROS = Problem(np.zeros((1, 2), dtype=np.float32), np.array([1]))


def sample(**changes: Any) -> Result:
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
        ({"tolerance": None, "source": "exact", "where": "the loss", "observed": "is a word", "expected": "a number"},
         "the loss is a word, must be a number"),
        ({"tolerance": None, "source": "exact", "where": "the call", "observed": "raised KeyError", "expected": ""},
         "the call raised KeyError"),
        ({"tolerance": float("nan"), "ulp": 7.0, "source": "19 ULP"},
         "gradient[0].sum() = 0.5 (0x1.0000000000000p-1), must be 0 (bound: 19 ULP), off by 7 ULP"),
        ({"ulp": float("inf")},
         "gradient[0].sum() = 0.5 (0x1.0000000000000p-1), must be 0 within 0.25 (bound: rounding)"),
    ],
)  # fmt: skip
def test_what_was_measured(changes: dict[str, Any], text: str) -> None:
    assert sample(**changes).sentence() == text


def test_a_long_story_is_cut() -> None:
    assert cut("x" * 1000) == "x" * SHOWN_CHARACTERS + "..."
    assert cut("x" * SHOWN_CHARACTERS) == "x" * SHOWN_CHARACTERS


NAN_AND_MORE = Comparison("x[{}]", np.ones(2), np.ones(2), np.ones(2), np.array([np.nan, 3.0]), "source")
HALF = replace(NAN_AND_MORE, ratio=np.array([0.5, 0.25]))
NOTHING = replace(NAN_AND_MORE, ratio=np.zeros(0))
FINDINGS = {
    "none": [],
    "no entry": [NOTHING],
    "two": [HALF, replace(HALF, ratio=np.array([7.0, 0.0]))],
    "NaN": [HALF, NAN_AND_MORE],
    "a fact that holds": [Fact("a", "b", "c", True)],
    "a fact that does not": [HALF, Fact("a", "b", "c", False)],
}


@pytest.mark.parametrize("findings", FINDINGS.values(), ids=FINDINGS)
def test_the_largest_ratio_is_that_of_the_worst_result(findings: list[Comparison | Fact]) -> None:
    worst = worst_result("check", Problem(np.zeros((1, 2)), np.array([0])), findings).ratio
    assert largest_ratio(findings) == (np.inf if np.isnan(worst) else worst)
