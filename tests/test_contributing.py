"""CONTRIBUTING.md is true: the files that it names exist, and every option is in all the places that it lists."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from gradlab.checks.table import CHECKS
from gradlab.evaluation.claims import OPTIONS
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.options import option_problems
from gradlab.problems.objective import MEANS, Objective
from gradlab.symbolic import options as symbolic

ROOT = Path(__file__).parents[1]
NAMED = re.findall(r"`([\w./]+(?:/|\.py|\.toml|\.txt))`", (ROOT / "CONTRIBUTING.md").read_text())
NOT_OPTIONS = {"reduction", "targets", "mean_over", "derivative"}


@pytest.mark.parametrize("path", sorted({path for path in NAMED if "NAME" not in path}))
def test_a_file_that_it_names_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_objective_has_the_options_that_can_be_claimed() -> None:
    assert {field.name for field in fields(Objective)} - NOT_OPTIONS == set(OPTIONS)


def test_every_option_has_a_rule() -> None:
    assert [*symbolic.OPTIONS, *symbolic.LOGIT_MAPS, *symbolic.ROW_TERMS, *symbolic.ROW_FACTORS] == list(OPTIONS)
    assert list(symbolic.DENOMINATORS) == list(MEANS)


def test_every_option_is_switched_on_by_a_problem() -> None:
    problems = option_problems(format_of("float64"), 0, "none")
    assert {option for problem in problems for option in problem.objective.options} == set(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_has_a_check(option: str) -> None:
    assert [check.name for check in CHECKS if check.group == "options" and check.name.startswith(option)] != []
