"""Sizes, ends and last words are spelled for people, and calls are told apart."""

from __future__ import annotations

import os
import shutil
import signal
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.cli.limits import Size
from gradlab.evaluation.call import made_for
from gradlab.isolation.limits import LOADING, TIMING, Limits, last_words, spelled_bytes, spelled_end
from gradlab.isolation.streams import CANARY, MAX_LINKS, Folder, fill_with_links
from gradlab.isolation.usage import ancestors_of, memory_of
from gradlab.judged.keys import key_of

DUMP = """assertion failed
Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "/home/me/inner.py", line 3 in inner
  File "/home/me/loss.py", line 7 in loss
"""


@pytest.mark.parametrize(
    ("spelled", "n_bytes"),
    [
        ("4GiB", 4 << 30),
        ("512 MiB", 512 << 20),
        ("1.5g", 3 << 29),
        ("262144KB", 1 << 28),
        ("200000000", 200_000_000),
        ("1T", 1 << 40),
    ],
)
def test_a_size_is_read(spelled: str, n_bytes: int) -> None:
    assert Size().convert(spelled, None, None) == n_bytes


@pytest.mark.parametrize(
    ("n_bytes", "spelled"), [(4 << 30, "4 GiB"), (3 << 29, "1.5 GiB"), (1 << 20, "1 MiB"), (9, "9 bytes")]
)
def test_a_size_is_spelled(n_bytes: int, spelled: str) -> None:
    assert spelled_bytes(n_bytes) == spelled


def test_an_end_is_spelled() -> None:
    assert spelled_end(0) == "ended its process with exit status 0"
    assert spelled_end(-signal.SIGKILL) == "ended its process by SIGKILL"
    assert spelled_end(-signal.SIGFPE) == "ended its process by SIGFPE, an arithmetic exception"


def test_last_words_are_the_innermost_line_and_what_was_said_before() -> None:
    assert last_words(DUMP) == " (inner.py, line 3); it said 'assertion failed'"
    assert last_words("") == ""
    assert last_words("a\nb\n") == "; it said 'b'"


def test_loading_and_timing_have_limits_of_their_own() -> None:
    limits = Limits(2.0, 7.0)
    assert [limits.seconds_for(what) for what in ("", "gradient_is_right", LOADING, TIMING)] == [2.0, 2.0, 7.0, 20.0]


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="there is no /proc")
def test_memory_is_that_which_is_used() -> None:
    with mmap(-1, 64 << 20) as fresh:  # pages that no earlier test has left to this one
        before = memory_of(os.getpid())
        fresh.write(bytes([1]) * len(fresh))
        assert memory_of(os.getpid()) - before > len(fresh) / 2


def test_a_process_descends_from_its_parent_and_from_the_parent_of_that() -> None:
    known = ancestors_of(os.getpid())
    assert {os.getppid()} | ancestors_of(os.getppid()) == known
    assert os.getpid() not in known


def test_a_call_is_known_by_its_bits_and_its_layout() -> None:
    x, labels = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([0, 1])
    calls: list[tuple[Any, Any, dict[str, Any]]] = [
        (x, labels, {}),
        (x + 1, labels, {}),
        (np.asfortranarray(x), labels, {}),
        (x.astype(np.float32), labels, {}),
        (x.astype(x.dtype.newbyteorder()), labels, {}),
        (x, labels.astype(np.int32), {}),
        (x, labels[::-1], {}),
        (x, labels, {"reduction": "sum"}),
        (x, labels, {"class_weights": x[0]}),
        (x, labels, {"class_weights": x[1]}),
    ]
    assert len({key_of((logits, targets), keywords) for logits, targets, keywords in calls}) == len(calls)
    assert key_of((x, labels), {}) == key_of((x.copy(), labels.copy()), {})


def test_the_outermost_purpose_of_a_call_counts() -> None:
    from gradlab.evaluation.call import current_purpose

    with made_for("shrinking a"), made_for("b"):
        assert current_purpose.get() == "shrinking a"
    assert current_purpose.get() == ""


def test_a_folder_of_links_tells_what_is_gone_and_has_it_again(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here, own = tmp_path / "here", tmp_path / "own"
    for folder in (here, own):
        folder.mkdir()
    (here / "data").write_text("1")
    fill_with_links(str(own), str(here))
    monkeypatch.chdir(own)
    assert sorted(os.listdir(own)) == ["data", CANARY]
    after = Folder(str(own)).same_files()
    assert after() is None
    (own / "new").touch()
    assert after() is None
    (own / "data").unlink()
    assert after() == "files are missing from the current folder: data"
    assert (own / "data").read_text() == (here / "data").read_text() == "1"


def test_a_folder_that_is_removed_before_it_was_looked_at_is_missed(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time was taken for that of a folder that had not changed, where the first call of a worker removed it."""
    (tmp_path / "own").mkdir()
    fill_with_links(str(tmp_path / "own"), str(tmp_path))
    monkeypatch.chdir(tmp_path)
    after = Folder(str(tmp_path / "own")).same_files()
    for _ in range(2):
        shutil.rmtree(tmp_path / "own")
        assert after() == "files are missing from the current folder: own"


def test_of_many_entries_the_folders_and_the_rarest_kinds_are_linked(tmp_path: Path) -> None:
    here, own = tmp_path / "here", tmp_path / "own"
    (here / "data").mkdir(parents=True)
    own.mkdir()
    for number in range(MAX_LINKS + 10):
        (here / f"{number}.txt").touch()
    (here / "weights.npy").touch()
    fill_with_links(str(own), str(here))
    linked = {path.name for path in own.iterdir()}
    assert len(linked) == MAX_LINKS + 1  # and the canary
    assert {"data", "weights.npy"} <= linked
