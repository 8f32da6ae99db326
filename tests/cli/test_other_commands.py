"""`gradlab replay`, `list`, `derive`, `doctor` and `compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gradlab.checks.table import CHECKS
from gradlab.cli.derive import FORM_NAMES, STYLE_NAMES
from gradlab.cli.doctor import FUNCTIONS
from gradlab.measure import doctor, function_sweep
from gradlab.oracle.elementary import ELEMENTARY
from gradlab.problems.families import FAMILIES
from gradlab.symbolic.document import DEFINITION
from gradlab.symbolic.forms import FORMS
from gradlab.symbolic.layer_document import LAYER
from gradlab.symbolic.render import STYLES


@pytest.fixture
def case(gradlab: Any, files: None) -> str:
    """The id of a case of bad.py."""
    gradlab("check", "bad.py:loss", "--dtype", "float32")
    for path in Path(".gradlab/cases").iterdir():
        if "gradient_within_forward_error" in path.read_text():
            return path.stem
    raise AssertionError("bad.py failed no problem")


def test_a_case_that_still_fails_is_status_1(gradlab: Any, case: str) -> None:
    ran = gradlab("replay", case)
    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith(f"still failing: {case}  loss  float32\n")
    assert "FAIL gradient_within_forward_error" in ran.out
    assert "the answer is bit for bit the one that was recorded" in ran.out


def test_a_case_that_is_fixed_is_status_0(gradlab: Any, case: str) -> None:
    Path("bad.py").write_text(Path("good.py").read_text())
    ran = gradlab("replay", case)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(f"fixed: {case}  loss  float32\n")
    assert "the answer is another one than was recorded" in ran.out


def test_a_case_can_be_given_by_how_its_id_begins(gradlab: Any, case: str) -> None:
    assert gradlab("replay", case[:9]).out.startswith(f"still failing: {case}")


def test_how_two_ids_begin_is_no_case(gradlab: Any, case: str) -> None:
    Path(f".gradlab/cases/{case[:3]}0000000.json").write_text("{}")
    ran = gradlab("replay", case[:3])
    assert (ran.status, len(ran.err.splitlines())) == (2, 1)
    assert f"{case[:3]} begins the ids of" in ran.err


def test_a_case_finds_its_file_from_another_folder(gradlab: Any, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(f".gradlab/cases/{case}.json").resolve()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert gradlab("replay", str(path)).status == 1


def test_a_case_can_be_given_by_its_path(gradlab: Any, case: str) -> None:
    assert gradlab("replay", f".gradlab/cases/{case}.json").status == 1


def test_a_case_of_what_ships_runs_anywhere(gradlab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gradlab("check", "textbook", "--dtype", "float32")
    path = next(Path(".gradlab/cases").iterdir()).resolve()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert gradlab("replay", str(path)).status == 1


def test_list_names_all_there_is(gradlab: Any) -> None:
    words = gradlab("list").out.split()
    assert {"implementations:", "specimens:", "entry-points:", "checks:", "families:", "profiles:"} <= set(words)
    assert {check.name for check in CHECKS} | {family.name for family in FAMILIES} <= set(words)
    assert {"shifted", "textbook", "quick", "thorough"} <= set(words)


def test_list_shows_only_the_sections_asked_for(gradlab: Any) -> None:
    assert gradlab("list", "profiles").out.startswith("profiles:\n  smoke ")
    assert "checks:" not in gradlab("list", "profiles").out


def test_list_has_the_layers_with_what_they_are_checked_by(gradlab: Any) -> None:
    sections = ("layers", "layer-specimens", "layer-checks", "layer-families")
    found = json.loads(gradlab("list", *sections, "--json").out)
    names = {name: [row["name"] for row in rows] for name, rows in found.items()}
    assert "layer_accurate" in names["layers"]
    assert "nothing_divided_by_nothing" in names["layer-specimens"]
    assert "dw_of_the_layer_is_right" in names["layer-checks"]
    assert "confident_head" in names["layer-families"]
    assert all(row["about"] for rows in found.values() for row in rows)


def test_list_as_json(gradlab: Any) -> None:
    found = json.loads(gradlab("list", "implementations", "specimens", "--json").out)
    stated = {row["name"]: row["kind"] for rows in found.values() for row in rows}
    assert stated["shifted"] == ""
    assert stated["textbook"] == "unstable"


def test_derive_offers_the_forms_and_styles_there_are() -> None:
    assert (DEFINITION, *FORMS, LAYER) == FORM_NAMES
    assert tuple(STYLES) == STYLE_NAMES


@pytest.mark.parametrize(("style", "word"), [("text", "proved"), ("latex", "\\"), ("python", "import numpy as np")])
def test_derive_prints_a_derivation(gradlab: Any, style: str, word: str) -> None:
    ran = gradlab("derive", "--form", "shifted", "--format", style)
    assert (ran.status, ran.err) == (0, "")
    assert word in ran.out


@pytest.fixture
def few_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "N_ARGUMENTS", 200)


@pytest.mark.usefixtures("few_arguments")
def test_doctor_says_what_it_measured(gradlab: Any) -> None:
    ran = gradlab("doctor")
    assert ran.err == ""
    assert "versions: python " in ran.out
    assert "subnormal numbers are" in ran.out
    assert all(f"\n  {name:<6} float16 " in ran.out for name in FUNCTIONS)


@pytest.mark.usefixtures("few_arguments")
def test_doctor_as_json(gradlab: Any) -> None:
    ran = gradlab("doctor", "--json")
    found = json.loads(ran.out)
    assert ran.status == (0 if found["sound"] and found["sound_for_accurate"] else 1)
    assert {"versions", "platform", "arithmetic", "elementary", "walks", "beta"} <= set(found)


@pytest.mark.usefixtures("few_arguments")
@pytest.mark.parametrize("finding", ["sound", "sound_for_accurate"])
def test_doctor_is_status_1_where_arithmetic_is_not_as_it_should_be(
    finding: str, gradlab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {**doctor.examination(), finding: False}
    monkeypatch.setattr(doctor, "examination", lambda walks: found)
    assert gradlab("doctor").status == 1


@pytest.mark.usefixtures("few_arguments")
def test_doctor_asks_the_functions_it_is_told_for_every_argument(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_sweep, "ALL", range(0, 2**32, 2**16))
    ran = gradlab("doctor", "--every", "log1p", "--every", "exp")
    walks = [line.split(":")[0] for line in ran.out.splitlines() if "65,536 arguments" in line]
    assert walks == ["exp float32 at 65,536 arguments", "log1p float32 at 65,536 arguments"]
    found = json.loads(gradlab("doctor", "--every", "all", "--json").out)
    assert [one["function"] for one in found["walks"]] == list(FUNCTIONS)


def test_doctor_asks_for_the_functions_that_are_measured() -> None:
    assert tuple(function.name for function in ELEMENTARY) == FUNCTIONS


def test_compare_tells_what_is_worse(gradlab: Any, files: None) -> None:
    for file, report in (("good.py", "old.json"), ("bad.py", "new.json")):
        gradlab("check", f"{file}:loss", "--dtype", "float64", "--json", report)
    worse = gradlab("compare", "old.json", "new.json")
    assert (worse.status, worse.err) == (1, "")
    assert worse.out.startswith("worse: loss  verdict stable -> unstable\n")
    assert gradlab("compare", "new.json", "old.json").out.startswith("better: loss  verdict unstable -> stable\n")
    same = gradlab("compare", "old.json", "old.json")
    assert (same.status, same.out) == (0, "0 changes, 0 for the worse, 0 for the better\n")


def test_compare_refuses_what_is_no_report(gradlab: Any, files: None) -> None:
    ran = gradlab("compare", "good.py", "missing.json")
    assert ran.status == 2
    assert ran.err.count("\n") == 1
