"""Every page of the lab in Chromium: nothing is asked for, nothing complains, everybody can read it, phones too."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradlab.lab.folder import write
from gradlab.lab.pages import CHAPTERS, START, Page
from tests.browser import Browser
from tests.processes import wait_until

LONG = "derivation"  # its formulas have thousands of elements
PAGES = pytest.mark.parametrize("page", [START, *CHAPTERS], ids=lambda page: page.name)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("site") / "lab").parent


@pytest.mark.parametrize(
    ("page", "dark"),
    [
        pytest.param(
            page,
            dark,
            id=f"{page.name}-{'dark' if dark else 'light'}",
            marks=[pytest.mark.more] if dark or page.name == LONG else [],
        )
        for page in (START, *CHAPTERS)
        for dark in (False, True)
    ],
)
def test_a_page_is_accessible_and_asks_for_nothing(page: Page, dark: bool, lab: Path, browser: Browser) -> None:
    browser.open(lab / page.file, dark=dark)
    assert browser.violations("math") == []  # axe has no rule for formulas, and takes a minute for thousands of parts
    assert browser.complaints() == []
    assert browser.requests() == []


@PAGES
def test_a_page_is_no_wider_than_a_phone(page: Page, lab: Path, browser: Browser) -> None:
    browser.open(lab / page.file, width=390, height=800)
    assert browser.overflow() == 0


@PAGES
def test_every_control_of_a_page_can_be_moved(page: Page, lab: Path, browser: Browser) -> None:
    """Each slider to both its ends, each choice and each button in turn: nothing in the console."""
    browser.open(lab / page.file)
    browser.run(MOVES)
    assert browser.complaints() == []
    assert browser.overflow() == 0


def test_dragging_the_margin_moves_the_label_and_the_figures(lab: Path, browser: Browser) -> None:
    browser.open(lab / "forms.html")
    assert "0: all digits lost" in text(browser, "#summary")
    browser.run(SET_RANGE, "margin-range", "2")
    assert browser.run("return document.getElementById('x0-range').value") == "2"
    assert "All four forms are right here." in text(browser, "#says")


def test_a_bit_is_turned_over_by_a_key(lab: Path, browser: Browser) -> None:
    browser.open(lab / "float.html")
    browser.run("document.getElementById('bit-31').focus()")
    browser.press(" ")
    assert "0.10000000149011612 is" not in text(browser, "#facts")
    assert "-0.100000001490116" in text(browser, "#facts")
    assert browser.run("return document.activeElement.id") == "bit-31"


def test_a_guess_is_answered_and_explained(lab: Path, browser: Browser) -> None:
    browser.open(lab / "bug.html")
    browser.run("document.querySelector('#choices input').click(); document.getElementById('check').click()")
    assert text(browser, "#answer").startswith("No:")
    browser.run("document.querySelector(`#choices input[value=${BUGS[0].name}]`).click()")
    browser.run("document.getElementById('check').click()")
    assert text(browser, "#answer") == "Right, at guess 2."
    assert "subtract 1 at the label of each row" in text(browser, "#explained")


def test_mending_every_fault_gives_the_mended_training(lab: Path, browser: Browser) -> None:
    browser.open(lab / "descent.html")
    assert "5 faults are left." in text(browser, "#says")
    browser.run("for (const box of document.querySelectorAll('#mends input')) box.click()")
    assert text(browser, "#says").startswith("All faults are mended.")
    assert "✗" not in text(browser, "#listing")


def test_what_changes_is_said_to_a_screen_reader(lab: Path, browser: Browser) -> None:
    browser.open(lab / "forms.html")
    assert browser.run(HEARD) == text(browser, "#says")


def test_a_page_is_printed_without_its_menu(lab: Path, browser: Browser) -> None:
    browser.open(lab / "forms.html")
    browser.command("Emulation.setEmulatedMedia", media="print")
    assert browser.run("return getComputedStyle(document.querySelector('.top nav')).display") == "none"
    assert browser.pdf().startswith(b"%PDF")


def text(browser: Browser, selector: str) -> str:
    """What an element says, once it says something."""
    found = ""

    def says() -> bool:
        nonlocal found
        found = str(browser.run("return document.querySelector(arguments[0]).textContent", selector))
        return bool(found)

    wait_until(says)
    return found


HEARD = """
const live = document.getElementById("live");
return new Promise((resolve) => {
  const answer = () => live.textContent && resolve(live.textContent);
  new MutationObserver(answer).observe(live, { childList: true });
  answer();
});
"""
SET_RANGE = """
const range = document.getElementById(arguments[0]);
range.value = arguments[1];
range.dispatchEvent(new Event("input", { bubbles: true }));
"""
MOVES = """
for (const range of document.querySelectorAll("input[type=range]")) {
  for (const value of [range.min, range.max, range.value]) {
    range.value = value;
    range.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
for (const name of new Set([...document.querySelectorAll("input[type=radio]")].map((radio) => radio.name))) {
  for (const radio of document.querySelectorAll(`input[name="${name}"]`)) radio.click();
}
const buttons = () => [...document.querySelectorAll("button")];
for (let i = 0; i < buttons().length; i += 1) buttons()[i].click();
"""
