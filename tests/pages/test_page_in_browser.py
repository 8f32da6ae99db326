"""Pages in Chromium: nothing is asked for, nothing complains, all can be read on a phone, by ear and on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradlab.pages.history import history_page
from gradlab.pages.page import report_page
from gradlab.pages.past import Moment, Past
from tests.browser import Browser
from tests.pages.hostile import hostile
from tests.pages.long_names import TOO_WIDE, WORD, with_long_names
from tests.pages.test_covered import with_cover

Report = dict[str, Any]
A4 = 718  # pixels, without the margins
CUT_OFF = """
return [...document.querySelectorAll(".scroll")]
  .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth)
  .map((one) => one.getAttribute("aria-label"));
"""
TAB, ENTER, SPACE = "\ue004", "\ue007", " "


def thinned(report: Report) -> Report:
    """The report with every ninth point of its curves, so that a page has few cells to look through."""
    for entry in report["implementations"]:
        for curve in entry["curves"]["axes"]:
            curve["values"] = curve["values"][::9]
            for part in curve["parts"].values():
                part.update({name: values and values[::9] for name, values in part.items()})
    return report


@pytest.fixture
def page(tmp_path: Path) -> Callable[[str], Path]:
    """Writes the text of a page to a file."""

    def write(text: str) -> Path:
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        return file

    return write


KINDS: dict[str, Callable[[dict[str, Report]], str]] = {
    "wrong": lambda reports: report_page([reports["teaching_global_shift"]]),
    "side by side": lambda reports: report_page([thinned(one) for one in reports.values()]),
    "exhaustive": lambda reports: report_page([with_cover(thinned(reports["shifted"]))]),
    "hostile": lambda reports: report_page([hostile(thinned(reports["teaching_global_shift"]))]),
    "history": lambda reports: history_page(
        Past(
            tuple(
                Moment(
                    name,
                    {
                        **one,
                        "implementations": [{**one["implementations"][0], "name": "loss"}],
                        "timing": {**one["timing"], "measurements": []},
                    },
                )
                for name, one in reports.items()
            ),
            (),
            ("x.json is no report",),
        )
    ),
}


LONG: dict[str, Callable[[list[Report]], str]] = {
    "one": lambda reports: report_page(reports[:1]),
    "side by side": report_page,
    "history": lambda reports: history_page(
        Past(tuple(Moment(f"{WORD}{at}", one) for at, one in enumerate(reports)), (), (WORD,))
    ),
}


@pytest.mark.parametrize("kind", LONG)
def test_no_name_however_long_makes_anything_too_wide(
    browser: Browser, page: Callable[[str], Path], reports: dict[str, Report], kind: str
) -> None:
    for one in reports.values():
        one["not_checked"] = [{"name": "other", "target": "other.py:loss", "reason": "there is no such file"}]
    file = page(LONG[kind]([with_long_names(thinned(one)) for one in reports.values()]))
    for width in (1280, 390):
        browser.open(file, width=width)
        assert browser.run(TOO_WIDE) == []
        assert browser.overflow() == 0


def test_a_name_leads_to_its_part_and_back_by_keyboard(
    browser: Browser, page: Callable[[str], Path], reports: dict[str, Report]
) -> None:
    browser.open(page(report_page([thinned(one) for one in reports.values()])), width=390)
    browser.run("document.querySelector('.compared a[href=\"#subject-2\"]').focus()")
    browser.press(ENTER)
    top = "return document.querySelector('#subject-2').getBoundingClientRect().top"
    assert abs(browser.run(top)) < 2
    browser.press(TAB)
    assert "2 of 2" in browser.run("return document.activeElement.textContent")
    browser.press(ENTER)
    assert browser.run("return scrollY") < 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_asks_for_nothing_and_complains_of_nothing(
    browser: Browser, page: Callable[[str], Path], reports: dict[str, Report], kind: str
) -> None:
    file = page(KINDS[kind](reports))
    for width, dark in ((1280, False), (390, True)):
        browser.open(file, width=width, dark=dark)
        assert (browser.requests(), browser.complaints(), browser.overflow()) == ([], [], 0)
    assert browser.run("return window.hacked") is None
    if kind in ("side by side", "exhaustive", "history"):
        assert browser.violations() == []


def test_a_page_is_accessible_in_dark_colours_and_light_ones(
    browser: Browser, page: Callable[[str], Path], wrong: Report
) -> None:
    file = page(report_page([thinned(wrong)]))
    for dark in (False, True):
        browser.open(file, dark=dark)
        assert browser.violations() == []


def test_the_switch_turns_the_colours_by_keyboard(browser: Browser, page: Callable[[str], Path], sound: Report) -> None:
    browser.open(page(report_page([sound])))
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = browser.run(paper)
    browser.press(TAB, TAB, ENTER)
    assert browser.run("return document.activeElement.id") == "theme"
    assert browser.run(paper) != light
    browser.press(ENTER)
    assert browser.run(paper) == light


def test_a_failure_opens_by_keyboard_and_its_code_can_be_copied(
    browser: Browser, page: Callable[[str], Path], wrong: Report
) -> None:
    browser.open(page(report_page([wrong])))
    browser.run("document.querySelectorAll('details.failure > summary')[1].focus()")
    browser.press(ENTER)
    assert browser.run("return document.querySelectorAll('details.failure')[1].open")
    browser.run("document.querySelector('.copy').focus()")
    browser.press(SPACE)
    browser.run("navigator.clipboard?.readText")
    said = browser.command(
        "Runtime.evaluate",
        expression="new Promise(done => { const s = document.querySelector('#status'); const look = () => s.textContent"
        " ? done(s.textContent) : requestAnimationFrame(look); look(); })",
        awaitPromise=True,
    )
    assert said["result"]["value"].startswith(("Copied", "Selected"))


def test_a_page_is_whole_without_its_script(browser: Browser, page: Callable[[str], Path], wrong: Report) -> None:
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(page(report_page([wrong])), width=390)
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("return document.querySelectorAll('svg.chart').length") > 10
    assert browser.run("return [...document.querySelectorAll('button')].every(one => one.hidden)")


@pytest.mark.parametrize("name", ["teaching_global_shift", "shifted"])
def test_nothing_is_cut_off_on_paper(
    browser: Browser, page: Callable[[str], Path], reports: dict[str, Report], name: str
) -> None:
    browser.open(page(report_page([reports[name]])), width=A4)
    browser.command("Emulation.setEmulatedMedia", media="print")
    assert browser.run(CUT_OFF) == []


def test_a_page_prints(browser: Browser, page: Callable[[str], Path], wrong: Report) -> None:
    browser.open(page(report_page([wrong])), dark=True)
    printed = browser.pdf()
    assert printed.startswith(b"%PDF-")
    assert 3 <= printed.count(b"/Type /Page\n") <= 40
