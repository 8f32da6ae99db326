"""README.md and the pages of docs/ are true: examples run, links lead somewhere, index and glossary are whole."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

import pytest

from gradlab.cli import status_of
from gradlab.harness.verdict import Verdict
from tools.conformance import OPENING

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
INDEX = (ROOT / "docs" / "README.md").read_text()
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("proofs/*.md")])
FOLDERS = "gradlab|implementations|tests|tools|benchmarks|docs|proofs"
TEN_LINES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
MAX_WORDS = 450
STARTS = ("README.md", "index.md")  # where a forge, and where the site, begins
THEIRS = ("benchmarks/losses.py", "benchmarks/__init__.py")  # files of the repository of whoever follows a page


def assert_shown(shown: str, said: str) -> None:
    """Every line of `shown` is a line of `said`; "..." stands for any text."""
    for line in shown.splitlines():
        pattern = re.escape(line).replace(re.escape("..."), ".*")
        assert re.search(f"^{pattern}$", said, re.MULTILINE), f"{line}\n\n{said}"


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_one_page() -> None:
    assert len(README.split()) <= MAX_WORDS


def test_the_ten_lines_of_the_readme_print_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(TEN_LINES, "README.md", "exec"), {"__name__": "ten_lines"})
    (shown,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    assert_shown(shown, capsys.readouterr().out)


@pytest.mark.usefixtures("in_an_empty_folder")
def test_the_command_of_the_verdict_page_prints_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    Path("my_loss.py").write_text(TEN_LINES[: TEN_LINES.index("report =")].replace("import gradlab\n", ""))
    page = (ROOT / "docs" / "verdict.md").read_text()
    ((command, shown),) = re.findall(r"```console\n\$ gradlab (.*?)\n(.*?)```", page, re.DOTALL)
    assert status_of(shlex.split(command)) == 1
    assert_shown(shown, capsys.readouterr().out)


def test_the_page_for_teachers_shows_what_explain_prints(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "teach.md").read_text()
    ((command, shown),) = re.findall(r"^    \$ gradlab (explain \w+) .*\n((?:    \w.*\n)+)", page, re.MULTILINE)
    assert status_of(shlex.split(command)) == 0
    assert_shown(textwrap.dedent(shown), capsys.readouterr().out)


@pytest.mark.more
@pytest.mark.usefixtures("in_an_empty_folder")
def test_the_power_of_a_run_is_what_the_pages_show(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "diagnosis.md").read_text()
    ((command, shown),) = re.findall(r"```console\n\$ gradlab (.*?)\n(.*?)```", page, re.DOTALL)
    assert status_of(shlex.split(command)) == 0
    said = capsys.readouterr().out
    assert_shown(shown, said)
    (sizes,) = re.findall(r"^    (sizes: .*)", (ROOT / "docs" / "sizes.md").read_text(), re.MULTILINE)
    assert_shown(sizes, said)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)", page.read_text())
    missing = [file for file, _ in links if not (page.parent / file).exists()]
    assert missing == []
    unknown = [anchor for file, anchor in links if anchor and anchor not in anchors_of(page.parent / file)]
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_file_or_folder_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(rf"`((?:{FOLDERS})/[\w./]*)(?:\s[^`]*)?`", page.read_text())
    assert [path for path in named if path not in THEIRS and "NAME" not in path and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", sorted(path.name for path in ROOT.glob("docs/*.md") if path.name not in STARTS))
def test_the_index_names_every_page(page: str) -> None:
    assert f"]({page})" in INDEX


def test_the_glossary_is_in_alphabetical_order() -> None:
    words = [word.lower() for word in re.findall(r"^\| \*\*(.*?)\*\* \|", GLOSSARY, re.MULTILINE)]
    assert words == sorted(set(words))


@pytest.mark.parametrize("verdict", [str(verdict) for verdict in Verdict])
def test_a_verdict_is_in_the_glossary(verdict: str) -> None:
    assert f"| **{verdict}** |" in GLOSSARY


def test_the_page_on_conformance_opens_as_the_tool_writes_it() -> None:
    assert OPENING in (ROOT / "docs" / "conformance.md").read_text()
