"""What is kept between runs is what was worked out, or it is worked out again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gradlab.storage import cache
from gradlab.storage.cache import FOLDER, cache_folder, from_cache, from_cache_under, only_what_is_there_trusted

DOCUMENT = {"caught": ["a", "b"], "largest": [3, 1000]}
KEEP = "from gradlab.storage.cache import from_cache; from_cache('power', 'here', lambda: {'n': list(range(10000))})"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER, str(tmp_path / "kept"))
    return tmp_path / "kept"


def worked_out() -> Any:
    return DOCUMENT


def never() -> Any:
    raise AssertionError("it was worked out again")


def test_what_was_worked_out_is_found_again() -> None:
    assert from_cache("power", "seed 0", worked_out) == DOCUMENT
    assert from_cache("power", "seed 0", never) == DOCUMENT


@pytest.mark.parametrize(("name", "parameters"), [("power", "seed 1"), ("truth", "seed 0")])
def test_another_name_or_other_parameters_are_another_result(name: str, parameters: str) -> None:
    from_cache("power", "seed 0", worked_out)
    assert from_cache(name, parameters, lambda: 5) == 5


def test_other_code_is_another_result(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    from_cache("power", "", worked_out)
    monkeypatch.setattr(cache, "_code", lambda: "another version")
    assert from_cache("power", "", lambda: 5) == 5
    assert len(list(folder.iterdir())) == 2


def test_a_key_that_says_all_is_not_of_gradlabs_code(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    from_cache_under("the code of one check", "row", worked_out)
    monkeypatch.setattr(cache, "_code", lambda: "another version")
    assert from_cache_under("the code of one check", "row", never) == DOCUMENT
    assert from_cache_under("the code of another", "row", lambda: 5) == 5


def test_the_key_is_of_the_contents_of_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.py", "b/c.py"):
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / name).write_text("x = 1")
    monkeypatch.setattr(cache, "OWN", tmp_path / "own")
    first = cache._code.__wrapped__()
    (tmp_path / "own/b/c.py").write_text("x = 2")
    assert cache._code.__wrapped__() != first


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("1000", "1001"),
        lambda text: text.replace('"key": "', '"key": "0'),
        lambda text: "[]",
        lambda text: "",
        lambda text: "\x00" * 40,
    ],
    ids=["cut short", "another number", "another key", "another document", "empty", "zeros"],
)
def test_a_damaged_file_is_worked_out_again_and_mended(damage: Any, folder: Path) -> None:
    from_cache("power", "", worked_out)
    (file,) = folder.iterdir()
    file.write_text(damage(file.read_text()))
    assert from_cache("power", "", worked_out) == DOCUMENT
    assert from_cache("power", "", never) == DOCUMENT


def test_the_oldest_go_when_all_have_too_many_bytes(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    from_cache("power", "0", worked_out)
    (file,) = folder.iterdir()
    monkeypatch.setattr(cache, "MAX_BYTES", 3.5 * file.stat().st_size)
    for number in range(5):
        from_cache("power", str(number), worked_out)
        for age, file in enumerate(sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime_ns)):
            os.utime(file, (1000 + age, 1000 + age))
    assert len(list(folder.iterdir())) == 3
    for number in (2, 3, 4):
        from_cache("power", str(number), never)


def test_two_processes_may_keep_the_same_result(folder: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", KEEP]) for _ in range(2)]
    assert [one.wait() for one in running] == [0, 0]
    (file,) = folder.iterdir()
    assert json.loads(file.read_text())["document"] == {"n": list(range(10000))}


def test_a_folder_that_cannot_be_written_costs_time_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write_text("a file, no folder")
    assert from_cache("power", "", worked_out) == DOCUMENT


def test_off_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, "off")
    assert cache_folder() is None
    assert from_cache("power", "", worked_out) == DOCUMENT
    assert from_cache("power", "", lambda: 5) == 5


def test_the_folder_is_the_users_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/gradlab")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_folder() == Path("/home/somebody/.cache/gradlab")


def forge(path: Path, document: Any) -> None:
    """Puts another document in the place of what is kept, with a digest that is right."""
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "document": document, "digest": cache._digest(document)}))


def test_what_others_write_meanwhile_is_not_read_and_is_removed(folder: Path) -> None:
    from_cache("power", "old", worked_out)
    (old,) = folder.iterdir()
    with only_what_is_there_trusted():
        forge(old, "forged")
        (folder / "power-of-others.json").write_text("{}")
        assert from_cache("power", "old", worked_out) == DOCUMENT
        forge(old, "forged")
    assert list(folder.iterdir()) == []


def test_what_was_there_before_and_what_is_its_own_is_read_and_stays(folder: Path) -> None:
    from_cache("power", "old", worked_out)
    with only_what_is_there_trusted():
        assert from_cache("power", "old", never) == DOCUMENT
        from_cache("power", "new", worked_out)
        assert from_cache("power", "new", never) == DOCUMENT
    assert from_cache("power", "old", never) == from_cache("power", "new", never) == DOCUMENT


def test_a_time_that_is_set_back_does_not_help(folder: Path) -> None:
    from_cache("power", "old", worked_out)
    (old,) = folder.iterdir()
    before = old.stat()
    with only_what_is_there_trusted():
        text = old.read_text()
        old.write_text(text.replace("1000", "1001"))
        os.utime(old, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert cache._read(old, json.loads(text)["key"]) is None
