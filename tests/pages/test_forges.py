"""JUnit, SARIF and the step summary have the shape that forges read, and hostile text breaks none of them."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from gradlab.pages.junit import junit_text
from gradlab.pages.sarif import sarif_text
from gradlab.pages.summary import picture, summary_text
from tests.pages.conftest import DTYPE
from tests.pages.hostile import hostile

Report = dict[str, Any]


def held(report: Report) -> list[str]:
    """The checks that cost the level."""
    results = report["implementations"][0]["results"]
    return [one["check"] for one in results if not one["passed"] and one["verdict"] in ("wrong", "unstable")]


def suites(report: Report) -> list[Element]:
    return list(fromstring(junit_text([report]).encode()).iter("testsuite"))


def test_junit_has_a_suite_for_the_dtype_and_a_case_for_each_check(wrong: Report) -> None:
    (suite,) = suites(wrong)
    cases = suite.findall("testcase")
    assert suite.get("name") == f"teaching_global_shift {DTYPE}"
    assert [case.get("name") for case in cases] == [one["check"] for one in wrong["implementations"][0]["results"]]
    failed = [case.get("name") for case in cases if case.find("failure") is not None]
    assert failed == held(wrong)
    assert (suite.get("tests"), suite.get("failures")) == (str(len(cases)), str(len(failed)))


def test_junit_says_what_was_seen_and_how_to_see_it(wrong: Report) -> None:
    found = {case.get("name"): case.find("failure") for case in suites(wrong)[0].findall("testcase")}
    failure = found["loss_within_forward_error"]
    assert failure is not None
    assert re.match(r"loss = inf, must be 104 ± \S+ within ", failure.get("message", ""))
    assert "print(teaching_global_shift(" in (failure.text or "")


def test_junit_of_what_was_not_checked_is_an_error(sound: Report) -> None:
    sound["not_checked"] = [{"name": "other.py:loss", "target": "other.py:loss", "reason": "there is no such file"}]
    errors = [case.find("error") for suite in suites(sound) for case in suite.findall("testcase")]
    assert [one.get("message") for one in errors if one is not None] == ["there is no such file"]


@pytest.fixture
def run(wrong: Report) -> dict[str, Any]:
    """The one run of the SARIF of a report."""
    document = json.loads(sarif_text([wrong]))
    assert set(document) == {"$schema", "version", "runs"}
    assert document["version"] == "2.1.0"
    (found,) = document["runs"]
    return dict(found)


def test_sarif_has_what_the_standard_requires(run: dict[str, Any]) -> None:
    driver = run["tool"]["driver"]
    rules = [rule["id"] for rule in driver["rules"]]
    assert driver["name"] == "gradlab"
    assert len(set(rules)) == len(rules)
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["level"] in ("error", "note")
        assert isinstance(result["message"]["text"], str)
        (place,) = result["locations"]
        assert place["physicalLocation"]["region"]["startLine"] >= 1
        uri = place["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"(?:file://)?[\w/.%~-]*teaching_global_shift\.py", uri)


def test_sarif_has_an_error_for_each_check_that_costs_the_level(run: dict[str, Any], wrong: Report) -> None:
    assert sorted(one["ruleId"] for one in run["results"] if one["level"] == "error") == sorted(held(wrong))


def test_sarif_leads_to_the_line_of_the_function(run: dict[str, Any], wrong: Report) -> None:
    line = run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"]
    with open(wrong["implementations"][0]["place"]["file"], encoding="utf-8") as source:
        assert "def teaching_global_shift" in "".join(source.readlines()[line - 1 : line + 1])


def test_sarif_of_a_function_of_unknown_place_names_its_file(wrong: Report) -> None:
    entry = wrong["implementations"][0]
    entry["place"], entry["target"] = None, "my folder/loss.py:f"
    (first, *_) = json.loads(sarif_text([wrong]))["runs"][0]["results"]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "my%20folder/loss.py"


def test_the_summary_names_the_mistake_and_draws_the_cliff(wrong: Report) -> None:
    text = summary_text([wrong])
    assert "| `teaching_global_shift` | ✗ **unstable** | stable not met |" in text
    assert "- **global_shift**: `p_ij = exp(x_ij - max X)" in text
    assert "Subtract the largest logit of each row" in text


def test_the_cliff_rises_to_every_bit(sound: Report) -> None:
    (margin,) = [one for one in sound["implementations"][0]["curves"]["axes"] if one["axis"] == "margin"]
    top, *_, bottom, _axis, labels = picture(margin, "target")
    assert top.startswith("  24 |")
    first = top.index("#") - 6
    assert 14 < margin["values"][first] < 18
    assert bottom.count("#") > top.count("#") > 10
    assert labels.startswith("  m = 0.125")


@pytest.mark.parametrize("text", [junit_text, sarif_text, summary_text])
def test_hostile_text_stays_text(text: Any, wrong: Report) -> None:
    found = text([hostile(wrong)])
    if text is junit_text:
        assert fromstring(found.encode()).tag == "testsuites"
    elif text is sarif_text:
        assert json.loads(found)["runs"]
    else:
        assert all(
            len(re.sub(r"\\\|", "", line).split("|")) == 6 for line in found.splitlines() if line.startswith("| ")
        )
        outside = re.sub(r"`[^`\n]*`", "", found)
        assert "<script" not in outside
