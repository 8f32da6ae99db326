"""The command as a process of its own: its entry points, its first line, Ctrl-C and a reader that goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SLOW = """
import pathlib, time

started = pathlib.Path("started").absolute()  # a call runs in a folder of its own

def loss(logits, labels):
    started.touch()
    time.sleep(0.2)
    return 0.0, logits
"""


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gradlab", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)


def wait_for(path: Path, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_cut_short_leaves_no_half_written_file(blow: signal.Signals) -> None:
    Path("slow.py").write_text(SLOW)
    Path("report.json").write_text("the report of yesterday")
    process = start("check", "slow.py:loss", "--json", "report.json")
    wait_for(Path("started"))
    process.send_signal(blow)
    _, said = process.communicate(timeout=60)
    expected = {signal.SIGINT: (130, "gradlab: interrupted\n"), signal.SIGKILL: (-9, "")}
    assert (process.returncode, said) == expected[blow]
    assert Path("report.json").read_text() == "the report of yesterday"
    left = {path.name for path in Path().iterdir()} - {"__pycache__"}
    assert left == {"slow.py", "report.json", "started"}


def test_the_first_line_comes_before_anything_is_checked() -> None:
    Path("slow.py").write_text(SLOW)
    began = time.monotonic()
    process = start("check", "slow.py:loss")
    assert process.stdout is not None
    first = process.stdout.readline()
    seconds = time.monotonic() - began
    process.kill()
    process.communicate(timeout=60)
    assert first.startswith("gradlab ")
    assert seconds < 2


def test_a_reader_that_goes_away_leaves_no_traceback() -> None:
    process = start("list")
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate(timeout=60)
    assert said == ""


def test_an_implementation_that_goes_to_another_folder_loses_no_case() -> None:
    Path("elsewhere").mkdir()
    Path("moving.py").write_text(
        "import os, pathlib\n"
        "elsewhere = pathlib.Path('elsewhere').absolute()\n"
        "def loss(logits, labels):\n"
        "    os.chdir(elsewhere)\n"
        "    return 0.0, 0 * logits\n"
    )
    process = start("check", "moving.py:loss", "--profile", "quick", "--dtype", "float32", "--json", "report.json")
    process.communicate(timeout=60)
    assert list(Path(".gradlab/cases").iterdir())
    assert Path("report.json").exists()


def test_the_exit_status_is_that_of_the_process() -> None:
    process = start("replay", "0123456789")
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert said == "gradlab: cannot run: there is no case 0123456789 in .gradlab/cases\n"
