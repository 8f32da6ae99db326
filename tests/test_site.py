"""The site of the pages: the names of the package are all on the page of the API, and it builds without a warning."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gradlab
from tests.browser import Browser

ROOT = Path(__file__).parents[1]
START = (ROOT / "docs" / "index.md").read_text()


def test_the_page_of_the_api_has_the_public_names_and_no_other() -> None:
    named = re.findall(r"^\.\. auto\w+:: gradlab\.(\w+)$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(gradlab.__all__)


def test_the_start_page_has_three_doors_each_with_a_picture() -> None:
    doors = re.findall(r"^## (\w+)\n\n.*\n\n!\[.+\]\((.*)\)$", START, re.MULTILINE)
    assert [door for door, _ in doors] == ["Validate", "Track", "Teach"]
    assert all((ROOT / "docs" / picture).is_file() for _, picture in doors)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built as `make docs` builds it."""
    if importlib.util.find_spec("sphinx") is None:
        pytest.skip("`make docs` installs Sphinx")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "-b", "html", "-c", "docs", "."]
    subprocess.run([*command, str(folder / "html"), "-d", str(folder / "trees")], cwd=ROOT, check=True)
    return folder / "html"


@pytest.mark.more
def test_the_site_builds_without_a_warning_and_asks_nobody_else_for_anything(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        assert re.findall(r"<(?:script|img|link|iframe)\b[^>]*(?:src|href)=\"https?://[^\"]*", page.read_text()) == []


@pytest.mark.more
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["docs/index", "docs/layer", "docs/verdict", "README"])
def test_a_page_of_the_site_is_accessible_on_a_screen_a_phone_and_paper(
    site: Path, browser: Browser, name: str, dark: bool
) -> None:
    for width in (1280, 390):
        browser.open(site / f"{name}.html", width=width, dark=dark)
        assert (browser.requests(), browser.complaints(), browser.overflow()) == ([], [], 0)
        assert browser.violations() == []
    assert browser.pdf().startswith(b"%PDF-")


@pytest.mark.parametrize("page", sorted(path.stem for path in ROOT.glob("docs/*.md") if path.name != "index.md"))
def test_a_page_has_its_place_in_the_site(page: str) -> None:
    assert re.search(rf"^{page}$", START, re.MULTILINE)
