"""The table of sizes and the cases made of it."""

from __future__ import annotations

from typing import Any

import pytest

from gradlab.problems.families import PROFILES
from gradlab.problems.objective import Objective
from gradlab.problems.sized import is_sized, number_of, problem_of, spelling_of
from gradlab.problems.sizes import BITS, CLASSES, MAX_ENTRIES, ROWS, Case, sizes_of

OTHERS: dict[str, Any] = {
    "dtype": ("float32", "float16"),
    "integers": ("int64", "int32", "uint32", "uint8", "int8"),
    "layout": ("C order", "Fortran order"),
    "labels": ("spread", "last"),
    "option": ("none", "ignore_index"),
}


@pytest.mark.parametrize("limit", [1024, 4096, 65_535, 65_536])
def test_rows_lie_beyond_every_threshold(limit: int) -> None:
    assert any(number > limit for group in ROWS.values() for number in group.numbers)


@pytest.mark.parametrize("limit", [4096, 8192, 65_536, 131_072])
def test_classes_lie_beyond_every_threshold(limit: int) -> None:
    assert any(number > limit for group in CLASSES.values() for number in group.numbers)


@pytest.mark.parametrize("group", [*ROWS.values(), *CLASSES.values()], ids=str)
def test_every_group_says_why(group: Any) -> None:
    assert len(group.reason) > 10


@pytest.mark.parametrize("profile", PROFILES)
def test_all_that_goes_together_is_covered(profile: str) -> None:
    sizes = sizes_of(profile, OTHERS)
    covered = sizes.covered(sizes.cases)
    assert covered.met == covered.every > 0
    assert covered.strength == (2 if profile == "quick" else 3)


def test_less_is_covered_where_less_is_tried() -> None:
    sizes = sizes_of("quick", OTHERS)
    assert sizes.covered(sizes.cases[:5]).met < sizes.covered(sizes.cases).met


def test_every_number_of_a_group_comes_up_in_standard() -> None:
    cases = sizes_of("standard", OTHERS).cases
    assert {case.n_rows for case in cases} >= {number for group in ROWS.values() for number in group.numbers}
    assert {case.n_classes for case in cases} >= {number for group in CLASSES.values() for number in group.numbers}


@pytest.mark.parametrize("case", sizes_of("quick", OTHERS).cases, ids=str)
def test_labels_fit_into_their_integers(case: Case) -> None:
    assert case.n_classes <= 2 ** BITS[case.integers]
    assert case.n_entries <= 4 * MAX_ENTRIES


@pytest.mark.parametrize("case", [one for one in sizes_of("quick", OTHERS).cases if one.n_entries < 5000], ids=str)
def test_the_problem_of_a_case_is_what_the_case_says(case: Case) -> None:
    problem = problem_of(case, Objective())
    assert problem.logits.shape == (case.n_rows, case.n_classes)
    assert problem.format.name == case.dtype
    assert spelling_of(problem) == (case.integers, case.layout)
    assert is_sized(problem)
    assert (problem.objective.ignore_index is not None) == case.option.startswith("ignore_index")


@pytest.mark.parametrize(
    ("text", "number"), [("-1", -1), ("K", 7), ("K + 1", 8), ("-K", -7), ("2^32 + 3", 2**32 + 3), ("-100", -100)]
)
def test_labels_to_be_ignored_have_names(text: str, number: int) -> None:
    assert number_of(text, 7) == number


def test_a_label_that_is_cut_to_eight_bits_is_a_class_of_some_row() -> None:
    case = Case(13, 256, "float32", "uint8", "C order", "spread", "ignore_index -100")
    problem = problem_of(case, Objective())
    assert 156 in problem.targets
    assert not problem.ignored_rows.any()
