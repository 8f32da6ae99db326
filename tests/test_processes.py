"""No process that a test has started outlives it: whether it fails, is interrupted, or pytest is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.processes import LONGEST, first_line, is_running, started, wait_until
from tests.runs import every

ROOT = Path(__file__).parents[1]
ENDLESS = "import os, time; print(os.getpid(), flush=True); time.sleep(1e6)"
SPECIMEN = f"""
import sys, time
from pathlib import Path
from tests.processes import first_line, started

def test_specimen():
    with started(sys.executable, "-c", {ENDLESS!r}) as process:
        number = first_line(process)
        Path("number").write_text(number)
        {{then}}
"""


def suite(then: str, *options: str) -> AbstractContextManager[Any]:
    """pytest on one test, in the current folder, that starts a process without an end and then does this."""
    Path("test_specimen.py").write_text(SPECIMEN.format(then=then))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_specimen.py"]
    return started(*command, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_a_process_finds_gradlab_and_numpy_compiled() -> None:
    """Where Python is told to write no bytecode, each process that a test started took seconds to compile them."""
    asked = "import gradlab.runs, numpy, os; print(*[os.path.exists(one.__cached__) for one in (gradlab.runs, numpy)])"
    asked_of = [sys.executable, "-c", asked]
    assert subprocess.run(asked_of, capture_output=True, text=True, check=True).stdout == "True True\n"


def number_written() -> int:
    return int(Path("number").read_text() or 0) if Path("number").exists() else 0


def test_a_process_ends_with_its_context() -> None:
    with started(sys.executable, "-c", ENDLESS) as process:
        number = int(first_line(process))
        assert is_running(number)
    assert not is_running(number)


def test_what_a_process_has_started_ends_with_it() -> None:
    starting = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ENDLESS!r}])"
    with started(sys.executable, "-c", starting) as process:
        number = int(first_line(process))
        assert number != process.pid
    wait_until(lambda: not is_running(number))


@pytest.mark.usefixtures("in_an_empty_folder")
def test_a_test_that_fails_leaves_no_process() -> None:
    with suite("assert not number") as pytest_process:
        said, _ = pytest_process.communicate(timeout=LONGEST)
    assert "1 failed" in said
    assert not is_running(number_written())


@pytest.mark.usefixtures("in_an_empty_folder")
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("options", every(2, [(), ("-n", "1")], ["here", "in a worker"]))
def test_an_end_of_pytest_leaves_no_process(options: tuple[str, ...], blow: signal.Signals) -> None:
    if blow != signal.SIGINT and sys.platform != "linux":
        pytest.skip("only Linux ends a process with its parent")
    with suite("time.sleep(1e6)", *options) as pytest_process:
        wait_until(lambda: number_written() > 0, pytest_process)
        pytest_process.send_signal(blow)
        wait_until(lambda: not is_running(number_written()))
        assert not is_running(number_written())


def test_an_event_that_cannot_come_any_more_is_a_failure() -> None:
    with started(sys.executable, "-c", "pass") as process, pytest.raises(AssertionError, match="ended with status 0"):
        wait_until(lambda: False, process)
