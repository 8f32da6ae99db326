"""CONTRIBUTING.md is true: its map is that of the tree, its files exist, and every option is where it says."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from gradlab.checks.table import CHECKS
from gradlab.evaluation.claims import OPTIONS
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.options import option_problems
from gradlab.problems.objective import Objective
from gradlab.problems.options import MEANS
from gradlab.symbolic import options as symbolic
from tests.test_layering import FLOORS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
NAMED = re.findall(r"`([\w./]+(?:/|\.py|\.toml|\.txt))`", PAGE)
MADE = ("build", "dist")  # and folders whose names begin with a dot, or end in .egg-info: not part of the sources
NOT_OPTIONS = {"reduction", "targets", "mean_over", "derivative"}


def floors_of_the_map() -> dict[str, int]:
    rows = re.findall(r"^\| (\d+) \| `([\w./]+)` \|", PAGE, re.MULTILINE)
    return {path.removesuffix("/").removesuffix(".py").replace("/", "."): int(floor) for floor, path in rows}


def test_the_map_has_every_package_and_module_on_its_floor() -> None:
    assert floors_of_the_map() == {entry: floor for floor, entries in enumerate(FLOORS, 1) for entry in entries}


def test_the_map_begins_with_the_highest_floor() -> None:
    floors = list(floors_of_the_map().values())
    assert floors == sorted(floors, reverse=True)


def test_the_map_has_every_package_of_the_tree() -> None:
    packages = {path.parent.name for path in ROOT.glob("gradlab/*/__init__.py")}
    modules = {path.stem for path in ROOT.glob("gradlab/*.py")}
    assert {entry.removeprefix("gradlab.") for entry in floors_of_the_map()} == packages | modules


def test_the_map_has_every_top_level_folder() -> None:
    folders = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith((".", "__")) and path.suffix != ".egg-info"
    }
    named = set(re.findall(r"^\| `(\w+)/` \|", PAGE, re.MULTILINE))
    assert named == folders - {"gradlab", *MADE}


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
