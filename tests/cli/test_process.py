"""The command as a process of its own: its entry points, its first line, Ctrl-C and a reader that goes away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.processes import LONGEST, first_line, started, wait_until

STUCK = """
import pathlib, time

called = pathlib.Path("called").absolute()  # a call runs in a folder of its own

def loss(logits, labels):
    called.touch()
    time.sleep(1e6)
"""
FEW = ("--profile", "smoke", "--dtype", "float32")


def gradlab_process(*arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return started(sys.executable, "-m", "gradlab", *arguments, env=environment)


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_cut_short_leaves_no_half_written_file(blow: signal.Signals) -> None:
    Path("stuck.py").write_text(STUCK)
    Path("report.json").write_text("the report of yesterday")
    with gradlab_process("check", "stuck.py:loss", *FEW, "--json", "report.json") as process:
        wait_until(Path("called").exists, process)
        process.send_signal(blow)
        _, said = process.communicate(timeout=LONGEST)
    expected = {signal.SIGINT: (130, "gradlab: interrupted\n"), signal.SIGKILL: (-9, "")}
    assert (process.returncode, said) == expected[blow]
    if blow == signal.SIGINT:
        assert json.loads(Path("report.json").read_text())["not_checked"][0]["reason"] == "it was interrupted"
    else:
        assert Path("report.json").read_text() == "the report of yesterday"
    left = {path.name for path in Path().iterdir()} - {"__pycache__"}
    assert left == {"stuck.py", "report.json", "called"}


def test_the_first_line_comes_before_anything_is_checked() -> None:
    Path("stuck.py").write_text(STUCK)
    with gradlab_process("check", "stuck.py:loss", *FEW, "--call-seconds", str(2 * LONGEST)) as process:
        assert first_line(process).startswith("gradlab ")  # no call ever returns


def test_a_reader_that_goes_away_leaves_no_traceback() -> None:
    with gradlab_process("list") as process:
        assert process.stdout is not None
        process.stdout.close()
        _, said = process.communicate(timeout=LONGEST)
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
    with gradlab_process("check", "moving.py:loss", *FEW, "--json", "report.json") as process:
        process.communicate(timeout=LONGEST)
    assert list(Path(".gradlab/cases").iterdir())
    assert Path("report.json").exists()


def test_the_exit_status_is_that_of_the_process() -> None:
    with gradlab_process("replay", "0123456789") as process:
        out, said = process.communicate(timeout=LONGEST)
    assert (process.returncode, out) == (2, "")
    assert said == "gradlab: cannot run: there is no case 0123456789 in .gradlab/cases\n"
