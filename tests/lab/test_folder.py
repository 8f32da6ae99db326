"""The lab's folder: written whole, replaced whole, and nothing else is ever overwritten."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from gradlab.cli import status_of
from gradlab.lab import folder as module
from gradlab.lab.folder import write
from gradlab.lab.pages import CHAPTERS, START, Page, site
from gradlab.storage.files import OutputError


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_lab_is_written_to_a_folder_that_is_made(tmp_path: Path) -> None:
    first = write(tmp_path / "new" / "lab")
    assert first == (tmp_path / "new" / "lab" / "index.html").resolve()
    assert names_in(first.parent) == set(site())
    assert names_in(tmp_path / "new") == {"lab"}


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    write(str(tmp_path / "lab"))
    assert names_in(tmp_path / "lab") == set(site())


def test_an_earlier_lab_is_replaced(tmp_path: Path) -> None:
    first = write(tmp_path / "lab")
    (first.parent / "removed-since.html").write_text("old")
    write(tmp_path / "lab")
    assert names_in(tmp_path / "lab") == set(site())
    assert names_in(tmp_path) == {"lab"}


@pytest.mark.parametrize("name", ["thesis.tex", "index.html", "page.html"])
def test_a_folder_that_holds_other_things_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=f"must be empty or hold a lab, it holds {name}"):
        write(tmp_path)
    assert names_in(tmp_path) == {name}


def test_a_lab_with_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "lab")
    (tmp_path / "lab" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds more than a lab: notes\.txt"):
        write(tmp_path / "lab")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("mine")
    with pytest.raises(OutputError, match="is no folder"):
        write(tmp_path / "lab")


def test_nothing_is_left_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(module, "_replace", broken)
    with pytest.raises(OutputError, match="the disk is full"):
        write(tmp_path / "lab")
    assert names_in(tmp_path) == set()


def test_the_old_lab_stays_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = write(tmp_path / "lab").parent
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if target == place and self.name.startswith(".lab."):
            raise OSError("no room")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OutputError, match="no room"):
        write(tmp_path / "lab")
    assert names_in(tmp_path / "lab") == set(site())
    assert names_in(tmp_path) == {"lab"}


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_the_folder_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert write(tmp_path / "lab").parent.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_command_says_where_the_lab_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["lab", str(tmp_path / "lab")]) == 0
    assert (tmp_path / "lab" / "index.html").resolve().as_uri() in capsys.readouterr().out


def test_the_command_opens_the_first_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert status_of(["lab", str(tmp_path / "lab"), "--open"]) == 0
    assert opened == [(tmp_path / "lab" / "index.html").resolve().as_uri()]


def test_the_command_refuses_a_folder_that_holds_other_things(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    assert status_of(["lab", str(tmp_path)]) == 2
    assert "must be empty or hold a lab" in capsys.readouterr().err


@pytest.mark.parametrize("page", [START, *CHAPTERS], ids=lambda page: page.name)
def test_a_page_takes_nothing_from_outside_and_has_no_script_or_style_in_line(page: Page) -> None:
    text = site()[page.file]
    assert re.findall(r"https?:|//\w", text) == []
    assert re.findall(r"<[^>]*\s(?:on\w+|style)\s*=", text) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style", text) == []
    assert "default-src 'none'" in text
