"""Sizes, ends and last words are spelled for people, calls are told apart, and runs are taken up again."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections.abc import Iterator
from functools import cache
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.cli.limits import Size
from gradlab.evaluation.call import Implementation, made_for
from gradlab.harness import sizes
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import Profile
from gradlab.harness.resume import Course, Done
from gradlab.harness.run import run_checks
from gradlab.implementations.textbook import textbook
from gradlab.isolation.journal import Journal, shared_memory
from gradlab.isolation.limits import LOADING, TIMING, Limits, last_words, spelled_bytes, spelled_end
from gradlab.isolation.recorded_call import key_of
from gradlab.isolation.streams import CANARY, MAX_LINKS, Folder, fill_with_links
from gradlab.isolation.usage import memory_of
from gradlab.report.json import encode_run
from gradlab.runs.state import RunState
from tests.runs import only_first

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


def test_a_journal_is_read_through_another_mapping() -> None:
    descriptor = shared_memory()
    mine, theirs = Journal(descriptor), Journal(descriptor)
    assert not theirs.read().is_open
    mine.begin(b"k" * 16, "gradient_is_right")
    entry = theirs.read()
    assert (entry.is_open, entry.begun, entry.key, entry.purpose) == (True, 1, b"k" * 16, "gradient_is_right")
    mine.end(is_call=True)
    assert (theirs.read().is_open, theirs.read().returned) == (False, 1)
    os.close(descriptor)


def test_the_outermost_purpose_of_a_call_counts() -> None:
    from gradlab.evaluation.call import current_purpose

    with made_for("shrinking a"), made_for("b"):
        assert current_purpose.get() == "shrinking a"
    assert current_purpose.get() == ""


IMPLEMENTATION = Implementation("textbook", textbook)
PLAN = Plan(Profile("small", "quick", 10, 1, 20, asked=2), 1, dtypes=("float32",), power=False)


@pytest.fixture(scope="module")
def few_sizes() -> Iterator[None]:
    """A run asks a dozen sizes, where it would ask two hundred."""
    all_asked = sizes.all_asked
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sizes, "all_asked", lambda *extent: all_asked(*extent)[:12])
        yield


@cache
def whole_run() -> tuple[Any, list[bytes]]:
    """What a run comes to, and what it had kept: after one problem, after many, and at the end of its parts."""
    state, packed, n_kept = RunState(IMPLEMENTATION, PLAN), list[bytes](), itertools.count()

    def keep_now(done: Done) -> None:
        packed.append(state.packed(done))

    def keep(done: Done) -> None:
        if next(n_kept) in (0, 60):
            keep_now(done)

    return encode_run(run_checks(IMPLEMENTATION, PLAN, course=Course(keep=keep, keep_now=keep_now))), packed


@pytest.mark.usefixtures("few_sizes")
@pytest.mark.parametrize("place", only_first([0, 1, 2, -1], 1, -1))
def test_a_run_that_is_taken_up_again_ends_as_one_that_was_not_interrupted(place: int) -> None:
    whole, packed = whole_run()
    done = RunState(IMPLEMENTATION, PLAN).unpacked(packed[place])
    assert encode_run(run_checks(IMPLEMENTATION, PLAN, course=Course(done))) == whole


@pytest.mark.usefixtures("few_sizes")
def test_what_a_run_keeps_at_the_end_of_its_parts_is_all_of_them() -> None:
    """Before the sizes, after the problems, and after each smaller problem that was looked for."""
    packed = [RunState(IMPLEMENTATION, PLAN).unpacked(one) for one in whole_run()[1]]
    assert packed[2].sizes.n_done == 0 < packed[3].sizes.n_done
    assert packed[3].to_shrink is None
    assert [one.n_shrunk for one in packed[4:]] == list(range(1, 1 + len(packed[-1].to_shrink or ())))


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
