"""Processes that a test starts: none of them outlives it, however the test ends, and waiting is for an event."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LONGEST = 300.0  # seconds until a test gives up an event: far more than a busy machine takes, so that a hang is told
BETWEEN_LOOKS = 0.01  # seconds
PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>; what it sets is kept by exec
# Where pytest is killed no fixture is torn down: on Linux, the kernel then ends what it had started.
_WITH_ITS_PARENT = f"""
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl({PR_SET_PDEATHSIG}, signal.SIGKILL)
if os.getppid() != int(parent):
    os._exit(1)
signal.signal(signal.SIGINT, signal.SIG_DFL)  # it is ignored where pytest runs in the background of a shell
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and this one under nohup
os.execvp(command[0], command)
"""


@contextmanager
def started(*command: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that runs the command in a group of its own, with text pipes; its group is killed on leaving.

    options: as subprocess.Popen takes them, over stdout and stderr as pipes.
    """
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", _WITH_ITS_PARENT, str(os.getpid()), *command],
        **{"stdout": pipe, "stderr": pipe, "text": True, "start_new_session": True, **options},
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def first_line(process: subprocess.Popen[str]) -> str:
    """The first line that a process writes to stdout. AssertionError where none begins."""
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], LONGEST)
    assert readable, f"no output within {LONGEST:g} s"
    return process.stdout.readline()


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """Returns when `holds()` is true. AssertionError where the process, if given, ends before, or nothing happens."""
    deadline = time.monotonic() + LONGEST
    while not holds():
        if process is not None and (status := process.poll()) is not None:
            assert holds(), f"the process ended with status {status}"
            return
        assert time.monotonic() < deadline, f"nothing happened within {LONGEST:g} s"
        time.sleep(BETWEEN_LOOKS)


def is_running(number: int) -> bool:
    """Whether there is a process of this number which has not ended; one that nobody has waited for has."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{number}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()  # without /proc, kill is all there is
