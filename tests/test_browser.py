"""The browser of the tests sees what it is there to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import Browser

OPENING = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'
SOUND = f"{OPENING}</head><body><main><h1>A page</h1><button id='one'>Press</button></main></body></html>"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "page.html"


def test_a_sound_page_asks_for_nothing_and_has_no_complaint(browser: Browser, page: Path) -> None:
    page.write_text(SOUND)
    browser.open(page)
    assert (browser.requests(), browser.complaints(), browser.violations(), browser.overflow()) == ([], [], [], 0)


def test_a_request_is_seen(browser: Browser, page: Path) -> None:
    page.write_text(SOUND.replace("<main>", "<main><img alt='' src='http://127.0.0.1:9/picture.png'>"))
    browser.open(page)
    assert browser.requests() == ["http://127.0.0.1:9/picture.png"]


def test_an_error_of_a_script_is_seen(browser: Browser, page: Path) -> None:
    page.write_text(SOUND.replace("</body>", "<script>missing()</script></body>"))
    browser.open(page)
    assert any("missing is not defined" in one for one in browser.complaints())


def test_a_script_that_the_policy_forbids_is_a_complaint(browser: Browser, page: Path) -> None:
    policy = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">"
    page.write_text(SOUND.replace("</head>", f"{policy}<script>1</script></head>"))
    browser.open(page)
    assert any("Content Security Policy" in one for one in browser.complaints())


def test_a_picture_without_words_is_a_violation(browser: Browser, page: Path) -> None:
    page.write_text(SOUND.replace("<main>", "<main><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>"))
    browser.open(page)
    assert any(one.startswith("image-alt") for one in browser.violations())


def test_a_page_that_is_too_wide_is_seen(browser: Browser, page: Path) -> None:
    page.write_text(SOUND.replace("<main>", "<main><div style='width: 500px'>wide</div>"))
    browser.open(page, width=390)
    assert browser.overflow() > 0


def test_dark_colours_and_keys_reach_the_page(browser: Browser, page: Path) -> None:
    page.write_text(SOUND)
    browser.open(page, dark=True)
    assert browser.run("return matchMedia('(prefers-color-scheme: dark)').matches")
    browser.run("document.querySelector('#one').onclick = () => document.title = 'pressed'")
    browser.press("\ue004", "\ue007")
    assert browser.run("return document.title") == "pressed"
