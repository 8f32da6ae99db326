"""However gradlab ends, no process of a target's and no folder stays, and what was found by then is told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.processes import LONGEST, is_running, started, wait_until

FEW = ("--profile", "smoke", "--dtype", "float32")
RIGHT = "\nfrom gradlab.implementations.shifted import shifted\n"
SLOW = f"""{RIGHT}
import time

def loss(logits, labels):
    time.sleep(0.3)
    return shifted(logits, labels)
"""
STARTING = """
import os, pathlib, subprocess, time
pids, calls = pathlib.Path("pids").absolute(), 0

def loss(logits, labels):
    global calls
    calls += 1
    if calls == 15:
        own = [subprocess.Popen(["sleep", "987"], start_new_session=apart).pid for apart in (False, True)]
        pids.with_name("new").write_text(f"{os.getpid()} {own[0]} {own[1]}")
        pids.with_name("new").rename(pids)
        time.sleep(1e6)
    return shifted(logits, labels)
"""


def end(blow: signal.Signals, *arguments: str) -> tuple[int, str, Sequence[int]]:
    """Exit status and output of a run that was sent a signal in a call, and the processes that there were then."""
    Path("starting.py").write_text(RIGHT + STARTING)
    Path("temporary").mkdir()
    surroundings = {**os.environ, "TMPDIR": str(Path("temporary").absolute())}
    command = (sys.executable, "-m", "gradlab", "check", "starting.py:loss", *FEW, *arguments)
    with started(*command, env=surroundings) as process:
        wait_until(Path("pids").exists, process)
        process.send_signal(blow)
        said, _ = process.communicate(timeout=LONGEST)
    return process.returncode, said, [int(one) for one in Path("pids").read_text().split()]


@pytest.mark.parametrize("blow", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_gives_the_verdict_so_far_and_leaves_nothing(blow: signal.Signals) -> None:
    status, said, processes = end(blow, "--json", "report.json")
    assert status == 128 + blow
    assert "cut short: it was interrupted" in said
    assert json.loads(Path("report.json").read_text())["implementations"][0]["cut_short"] == "it was interrupted"
    wait_until(lambda: not any(map(is_running, processes)))
    assert list(Path("temporary").iterdir()) == []


def test_an_interrupt_of_several_side_by_side_gives_the_verdicts_so_far_and_leaves_nothing() -> None:
    Path("good.py").write_text(RIGHT + "def loss(x, y):\n    return shifted(x, y)\n")
    status, said, processes = end(signal.SIGINT, "good.py:loss", "--jobs", "2", "--json", "report.json")
    assert status == 128 + signal.SIGINT, said
    found = {one["target"]: one for one in json.loads(Path("report.json").read_text())["implementations"]}
    assert found["starting.py:loss"]["cut_short"] == "it was interrupted"
    wait_until(lambda: not any(map(is_running, processes)))
    assert list(Path("temporary").iterdir()) == []


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGUSR1])
def test_the_janitor_tidies_up_after_a_signal_that_nothing_handles(blow: signal.Signals) -> None:
    status, _, processes = end(blow)
    assert status == -blow
    wait_until(lambda: not any(map(is_running, processes)))
    wait_until(lambda: list(Path("temporary").iterdir()) == [])


def test_no_signal_of_a_target_ends_gradlab() -> None:
    source = """import os, signal
def loss(x, y):
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        os.kill(os.getppid(), number)
    return shifted(x, y)
"""
    Path("killing.py").write_text(RIGHT + source)
    with started(sys.executable, "-m", "gradlab", "check", "killing.py:loss", *FEW) as process:
        said, _ = process.communicate(timeout=LONGEST)
    assert process.returncode >= 0, said
    assert "loss: " in said


@pytest.mark.parametrize("way", [[], ["--in-process"], ["--jobs", "2"]], ids=["apart", "here", "side by side"])
def test_what_has_not_answered_when_its_time_is_up_is_not_checked(gradlab: Any, way: list[str]) -> None:
    Path("slow.py").write_text(SLOW)
    Path("slower.py").write_text(SLOW)
    targets = ("slow.py:loss", "slower.py:loss") if "--jobs" in way else ("slow.py:loss",)
    ran = gradlab("check", *targets, "--dtype", "float32", "--minutes", "0.01", "--json", "report.json", *way)
    told = json.loads(Path("report.json").read_text())
    assert (ran.status, told["implementations"]) == (2, [])
    reasons = [one["reason"] for one in told["not_checked"]]
    assert reasons == [f"{target}: no problem was tried: its time was up (`--minutes`)" for target in targets]


def test_a_report_on_standard_output_is_alone_there() -> None:
    Path("mine.py").write_text(RIGHT + "def loss(x, y):\n    return shifted(x, y)\n")
    command = [sys.executable, "-m", "gradlab", "check", "mine.py:loss", *FEW, "--json", "/dev/stdout"]
    piped = subprocess.run(command, capture_output=True, text=True)
    with Path("out").open("w") as out:
        subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL)
    for said in (piped.stdout, Path("out").read_text()):
        assert json.loads(said)["implementations"][0]["verdict"] in ("stable", "accurate")
    assert "loss: " in piped.stderr


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no C compiler")
def test_a_library_that_flushes_subnormals_from_the_moment_it_is_loaded_is_a_finding(gradlab: Any) -> None:
    Path("fast.c").write_text("double twice(double x) { return 2 * x; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-ffast-math", "-o", "fast.so", "fast.c"], check=True)
    Path("mine.py").write_text(
        RIGHT + "import ctypes\nctypes.CDLL('./fast.so')\ndef loss(x, y):\n    return shifted(x, y)\n"
    )
    Path("good.py").write_text(RIGHT + "def loss(x, y):\n    return shifted(x, y)\n")
    ran = gradlab("check", "mine.py:loss", "good.py:loss", "--dtype", "float32", "--json", "report.json")
    assert (ran.status, ran.err) == (1, "")
    met = {one["target"]: one["met"] for one in json.loads(Path("report.json").read_text())["implementations"]}
    assert met == {"mine.py:loss": False, "good.py:loss": True}
    assert "after it was loaded subnormal numbers are taken for 0, were not" in ran.out


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">/dev/full", "2>/dev/full", "<&- >&- 2>&-"])
def test_streams_that_are_closed_or_full_are_no_error(closed: str) -> None:
    command = f"{sys.executable} -m gradlab check nope.py:loss {closed}"
    assert subprocess.run(["sh", "-c", command], capture_output=True).returncode == 2
