"""`gradlab lesson` writes a folder, judges what is in it, and overwrites nothing."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gradlab.cli import status_of
from gradlab.lessons.folder import write_lesson
from gradlab.lessons.page import page_of
from gradlab.lessons.table import LESSONS, lesson_named
from tests.lessons.conftest import solution

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")
needs_posix = pytest.mark.skipif(os.name != "posix", reason="processes of their own need POSIX")


class Tags(HTMLParser):
    """The tags of a page, and what they lead to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]


def test_without_a_name_it_lists_the_lessons(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["lesson"]) == 0
    said = capsys.readouterr().out
    assert re.findall(r"^\d  (\w+)", said, re.MULTILINE) == [lesson.name for lesson in LESSONS]


def test_it_writes_a_page_and_a_file_to_fill_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["lesson", "overflow"]) == 0
    assert sorted(os.listdir("overflow")) == ["README.md", "loss.py", "task.html"]
    assert "gradlab lesson overflow --check" in capsys.readouterr().out
    assert "gradlab lesson overflow --check --hints 2" in Path("overflow/README.md").read_text()
    assert Path("overflow/loss.py").read_text() == lesson_named("overflow").stub


def test_work_that_is_there_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    Path("mine/loss.py").write_text("my work")
    assert status_of(["lesson", "overflow", "mine"]) == 2
    assert os.listdir("mine") == ["loss.py"]
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["nowhere"], ["overflow", "--hints", "1"], ["overflow", "--check"]])
def test_bad_usage_is_refused_in_a_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["lesson", *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@needs_posix
def test_a_stub_is_said_to_be_as_it_was_delivered(capsys: pytest.CaptureFixture[str]) -> None:
    status_of(["lesson", "mean"])
    capsys.readouterr()
    assert status_of(["lesson", "mean", "--check"]) == 1
    assert capsys.readouterr().out == "mean: mean/loss.py is as it was delivered. Read the task, and fill it in.\n"


@needs_posix
def test_a_mistake_gets_as_much_of_a_hint_as_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    write_lesson(lesson_named("mean"), Path("mean"))
    Path("mean/loss.py").write_text(solution("mean").replace("gradient / len(labels)", "gradient"))
    assert status_of(["lesson", "mean", "--check"]) == 1
    assert "hint," not in capsys.readouterr().out
    assert status_of(["lesson", "mean", "--check", "--hints", "2"]) == 1
    said = capsys.readouterr().out
    assert "hint, where: gradient_is_right fails" in said
    assert "hint, what kind: the loss is right, and the gradient is that of another number" in said


@pytest.mark.more
@needs_posix
def test_the_page_on_exercises_shows_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    write_lesson(lesson_named("overflow"), Path("overflow"))
    Path("overflow/loss.py").write_text(
        solution("overflow").replace("np.exp(logits - logits.max(axis=1, keepdims=True))", "np.exp(logits)")
    )
    page = (Path(__file__).parents[2] / "docs" / "exercises.md").read_text()
    (command, shown), *_ = re.findall(r"^    \$ gradlab (.*--hints 2)\n((?:    .+\n)+)", page, re.MULTILINE)
    assert status_of(command.split()) == 1
    assert capsys.readouterr().out == re.sub("^    ", "", shown, flags=re.MULTILINE)


@needs_posix
def test_a_solution_passes_and_the_next_lesson_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mean").mkdir()
    Path("mean/loss.py").write_text(solution("mean"))
    assert status_of(["lesson", "mean", "--check"]) == 0
    assert capsys.readouterr().out == "mean: passed (stable); next: gradlab lesson padding\n"


@needs_posix
def test_a_file_that_is_no_python_is_refused_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mean").mkdir()
    Path("mean/loss.py").write_text("def loss(:\n")
    assert status_of(["lesson", "mean", "--check"]) == 1
    assert "SyntaxError" in capsys.readouterr().out


@pytest.mark.parametrize("name", [lesson.name for lesson in LESSONS])
def test_a_page_loads_nothing_and_runs_nothing(name: str) -> None:
    write_lesson(lesson_named(name), Path(name))
    page = Tags(Path(name, "task.html").read_text())
    assert page.addresses == []
    assert "script" not in page.tags
    assert page.tags.count("h1") == 1


def test_html_in_a_text_is_shown_as_text() -> None:
    page = page_of("<script>alert(1)</script>", "</title><script>")
    assert "script" not in Tags(page).tags
