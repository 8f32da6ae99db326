"""Files are written whole or not at all, and faults are known beforehand."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from gradlab.storage.files import folder_fault, output_fault, parsed_json, strict_json, write_whole


def test_a_file_is_replaced_by_the_new_text(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old and longer")
    write_whole(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("blow", [KeyboardInterrupt, OSError, MemoryError])
def test_a_blow_while_writing_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blow: type[BaseException]
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def fall(*args: Any) -> None:
        raise blow

    monkeypatch.setattr(os, "replace", fall)
    with pytest.raises(blow):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_device_is_written_to() -> None:
    write_whole(Path("/dev/null"), "gone")
    assert not Path("/dev/null").is_file()


def test_a_file_that_can_be_written_has_no_fault_and_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    assert output_fault(tmp_path / "old") is None
    assert output_fault(tmp_path / "new") is None
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"old": "old"}


def test_the_faults_of_an_output_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(output_fault(tmp_path)).endswith("cannot be written: it is a folder")
    assert "there is no folder" in str(output_fault(tmp_path / "no" / "file"))
    assert "there is no folder" in str(output_fault(tmp_path / "file" / "below"))


@pytest.mark.parametrize("call", ["pathlib.Path.open", "tempfile.NamedTemporaryFile"])
def test_what_the_system_refuses_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refuse(*args: Any, **keywords: Any) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a").write_text("")
    monkeypatch.setattr(call, refuse)
    assert str(output_fault(tmp_path / "a")).endswith("a cannot be written: Permission denied")


def test_a_folder_that_does_not_exist_yet_has_no_fault(tmp_path: Path) -> None:
    assert folder_fault(tmp_path / "a" / "b") is None
    assert list(tmp_path.iterdir()) == []


def test_the_faults_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    assert str(folder_fault(tmp_path / "file" / "b")).endswith("file is no folder")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert str(folder_fault(tmp_path / "a")).endswith("Permission denied")


AWKWARD = {"a": [1, 2.5, None, True, "two  spaces [\n ]"], "b": [[1, 2], [], [{"c": "\ud800 \u2028 \x85"}]], "d": {}}


def test_strict_json_says_what_the_document_says() -> None:
    assert json.loads(strict_json(AWKWARD)) == AWKWARD


def test_a_list_of_scalars_is_on_one_line() -> None:
    assert strict_json({"a": [[1, 2], [3, 4]]}).splitlines() == ["{", ' "a": [', "  [1, 2],", "  [3, 4]", " ]", "}"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_strict_json_refuses_what_json_lacks(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        strict_json({"a": value})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": NaN}', "strict JSON has no NaN"),
        ("[-Infinity]", "strict JSON has no -Infinity"),
        ('{"a": 1, "a": 2}', "a key is given twice"),
        ("[" * 100_000, "nested too deeply"),
        ("{", "Expecting"),
        ("", "Expecting value"),
    ],
)
def test_text_that_is_not_strict_json_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parsed_json(text)
