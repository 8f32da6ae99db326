"""What goes with a row: numbers of rows in a problem, taken apart and together with its rows, and written down."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.adaptation import allows, is_left_open
from gradlab.evaluation.claims import claims_from
from gradlab.evaluation.keywords import keywords_for
from gradlab.harness.logits_problems import problems_for
from gradlab.harness.search import drawn_problems
from gradlab.problems.formatting import snippet
from gradlab.problems.objective import Objective
from gradlab.problems.options import MEANS
from gradlab.problems.problem import Problem
from gradlab.storage.encoding import decoded_problem, encoded_problem

LOGITS, LABELS = np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 0])
WEIGHTED = Problem(LOGITS, LABELS, Objective("none", sample_weights=(0.5, 2.0, 0.0), upstream=(1.0, -1.0, 3.0)))


def test_rows_take_what_is_said_of_them_along() -> None:
    found = WEIGHTED.rows(np.array([2, 0, 0]))
    assert found.objective.sample_weights == (0.0, 0.5, 0.5)
    assert found.objective.upstream == (3.0, 1.0, 1.0)
    assert found.targets.tolist() == [0, 0, 0]
    assert found.logits.tolist() == [[1, 1], [0, 1], [0, 1]]
    assert WEIGHTED.rows(slice(1)).objective.upstream == (1.0,)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"sample_weights": (1.0, -1.0, 1.0)}, "sample_weights must be finite and at least 0, got"),
        ({"sample_weights": (1.0, np.inf, 1.0)}, "sample_weights must be finite"),
        ({"sample_weights": (1.0, np.nan, 1.0)}, "sample_weights must be finite"),
        ({"sample_weights": (1.0,)}, "sample_weights must have 3 entries, one per row, got 1"),
        ({"sample_weights": (1.0, 1e300, 1.0)}, r"sample_weights must be finite in float32, got 1e\+300"),
        ({"reduction": "none", "upstream": (1.0, -np.inf, 1.0)}, "upstream must be finite, got"),
        ({"upstream": (1.0, 1.0, 1.0)}, "upstream needs reduction none, got mean"),
        ({"mean_over": "weights"}, "mean_over must be one of sum_of_weights, number_of_rows, all_rows, got 'weights'"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        Problem(LOGITS.astype(np.float32), LABELS, Objective(**options))


def test_a_problem_is_read_back_as_it_was_written() -> None:
    problem = WEIGHTED.replace(objective=Objective(sample_weights=(0.1, 2.0, 0.0), mean_over="all_rows"))
    for one in (WEIGHTED, problem):
        assert decoded_problem(encoded_problem(one)).digest == one.digest


def test_a_case_from_before_there_were_any_is_read() -> None:
    plain = encoded_problem(Problem(LOGITS, LABELS))
    for name in ("sample_weights", "upstream", "mean_over"):
        del plain["objective"][name]
    assert decoded_problem(plain).objective == Objective()


def test_the_keywords_are_arrays_in_the_dtype_and_the_rule_where_several_are_claimed() -> None:
    objective = Objective(sample_weights=(0.5, 2.0), mean_over="all_rows")
    one, two = claims_from({"mean_over": "all_rows"}), claims_from({"mean_over": ["number_of_rows", "all_rows"]})
    keywords = keywords_for(one, objective, np.dtype(np.float32))
    assert keywords["sample_weights"].dtype == np.float32
    assert "mean_over" not in keywords
    assert keywords_for(two, objective, np.dtype(np.float32))["mean_over"] == "all_rows"
    assert keywords_for(two, Objective(), np.dtype(np.float32))["mean_over"] == "number_of_rows"


def test_another_rule_is_asked_only_where_it_is_claimed_or_makes_no_difference() -> None:
    claims = claims_from({"options": "sample_weights", "mean_over": "number_of_rows"})
    assert allows(claims, Objective())
    assert not allows(claims, Objective(sample_weights=(1.0,)))
    assert allows(claims, Objective(sample_weights=(1.0,), mean_over="number_of_rows"))


def test_every_rule_that_is_claimed_is_asked_where_it_makes_a_difference() -> None:
    claims = claims_from({"options": ["sample_weights", "temperature"], "mean_over": list(MEANS)})
    problems = problems_for(claims, "float32", "quick", 0)
    asked = {(p.objective.mean_over, name) for p in problems for name in p.objective.options}
    assert {(rule, "sample_weights") for rule in ("sum_of_weights", "number_of_rows")} <= asked
    assert ("number_of_rows", "temperature") in asked  # with sample weights
    alone = [p.objective for p in problems if p.objective.options.keys() == {"temperature"}]
    assert {one.mean_over for one in alone} == {"sum_of_weights"}


@pytest.mark.parametrize(
    ("logits", "objective", "is_open"),
    [
        ([[0.0, np.nan], [0.0, 1.0]], Objective(sample_weights=(0.0, 1.0)), True),
        ([[0.0, np.nan], [0.0, 1.0]], Objective(sample_weights=(1.0, 0.0)), False),
        ([[0.0, -np.inf], [0.0, 1.0]], Objective("none", upstream=(0.0, 1.0)), True),
        ([[0.0, 1.0], [0.0, 1.0]], Objective(sample_weights=(0.0, 0.0)), True),
        ([[0.0, 1.0], [0.0, 1.0]], Objective(sample_weights=(1.0, 1e-310)), True),
        ([[0.0, 1.0], [0.0, 1.0]], Objective("sum", sample_weights=(0.0, 0.0)), False),
        ([[0.0, 1.0], [0.0, 1.0]], Objective(sample_weights=(0.0, 0.0), mean_over="all_rows"), False),
    ],
)
def test_what_sound_code_answers_in_two_ways_is_left_open(logits: Any, objective: Objective, is_open: bool) -> None:
    assert is_left_open(Problem(np.array(logits), np.array([0, 0]), objective)) == is_open


def test_drawn_problems_have_a_number_for_each_row_where_it_goes_with_the_reduction() -> None:
    claims = claims_from({"reduction": ["none", "sum"], "options": ["sample_weights", "upstream"]})
    drawn = drawn_problems(claims, "float32", 150, 1)
    on = {(name, p.objective.reduction) for p in drawn for name in p.objective.per_row_options}
    assert on == {("sample_weights", "none"), ("sample_weights", "sum"), ("upstream", "none")}
    assert all(len(one) == p.n_rows for p in drawn for one in p.objective.per_row_options.values())


def test_a_problem_tells_its_numbers_of_rows_and_its_rule() -> None:
    told = snippet(WEIGHTED.replace(objective=Objective(sample_weights=(0.5, 2.0, 0.0), mean_over="all_rows")))
    assert told.endswith("sample_weights (0.5, 2.0, 0.0), mean over all_rows")
