"""The reports that are committed as examples name the mistakes of the teaching codes, and are small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradlab.pages.page import LARGEST, asset, report_page
from tests.pages.test_page import words_of
from tools.example_reports import data_of

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path for path in (ROOT / "docs" / "examples" / "reports").glob("*.html")}
TAUGHT = (ROOT / "docs" / "teaching-codes.md").read_text()
CODES = re.findall(r"^\$ gradlab check (teaching_\w+)\nlooks like: (.*)$", TAUGHT, re.MULTILINE)


def test_every_teaching_code_has_a_report() -> None:
    assert len(CODES) == 4
    assert {name for name, _ in CODES} <= PAGES.keys()


@pytest.mark.parametrize(("name", "mistakes"), CODES)
def test_a_report_names_the_mistakes_that_the_page_on_teaching_codes_names(name: str, mistakes: str) -> None:
    page = PAGES[name].read_text(encoding="utf-8")
    (report,) = data_of(page)
    loss, layer = report["implementations"]
    assert loss["diagnosis"]["alternatives"][0]["defects"] == mistakes.split(" and ")
    assert f"layer:implementations/specimens/{name}.py:softmax_regression" == layer["target"]
    assert "How to mend it" in words_of(page)


@pytest.mark.parametrize("name", [name for name, _ in CODES])
def test_a_report_shows_several_mistakes_each_by_itself(name: str) -> None:
    page = PAGES[name].read_text(encoding="utf-8")
    (report,) = data_of(page)
    for entry in report["implementations"]:
        known = entry["diagnosis"]
        several = {mistake for one in known["alternatives"] if len(one["defects"]) > 1 for mistake in one["defects"]}
        assert set(known["examples"]) <= several
        assert not several or f"This comes of {next(iter(known['examples']))} alone" in words_of(page)


@pytest.mark.parametrize("name", PAGES)
def test_a_report_is_at_most_1_mib_and_of_the_sheet_and_script_of_today(name: str) -> None:
    text = PAGES[name].read_text(encoding="utf-8")
    assert len(text.encode()) <= LARGEST
    assert asset("style.css") in text
    assert asset("page.js") in text


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_drawn_again_from_the_data_in_it(name: str) -> None:
    """Also where they are of an earlier version of gradlab, in which less was told."""
    text = PAGES[name].read_text(encoding="utf-8")
    assert words_of(report_page(data_of(text))) == words_of(text)
