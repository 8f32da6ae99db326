"""pytest in a fork of this process, in which the packages that every test needs are loaded already.

Starting Python, pytest and NumPy takes longer than most mutants live. gradlab itself is loaded again in each fork.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from signal import SIGKILL

import flint  # noqa: F401 - loaded for the forks, as the others
import mpmath  # noqa: F401
import numpy as np  # noqa: F401
import pytest

_PAUSE = 0.02  # seconds between two looks at a fork


def run_pytest(arguments: tuple[str, ...], folder: Path, limit: float) -> subprocess.CompletedProcess[str]:
    """What pytest says in the folder, whose packages come first. Raises TimeoutExpired after `limit` seconds."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1,) * 2)  # a loop without an end, if this one is gone
            _run(arguments, folder, said.fileno())
        status = _wait(child, limit)
        said.seek(0)
        text = said.read().decode(errors="replace")
    if status is None:
        raise subprocess.TimeoutExpired(arguments, limit)
    return subprocess.CompletedProcess(arguments, status, text, "")


def _run(arguments: tuple[str, ...], folder: Path, out: int) -> None:
    """Becomes pytest, and ends this process."""
    status = 1
    try:
        os.setsid()  # what a test leaves running ends with it
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.path[:] = [str(folder), *(path for path in sys.path if path not in ("", os.getcwd()))]
        os.chdir(folder)
        status = int(pytest.main(list(arguments)))
    finally:
        sys.stdout.flush()
        os._exit(status)


def _wait(child: int, limit: float) -> int | None:
    """The exit status of the child; None if it had to be ended."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_PAUSE)
    os.killpg(child, SIGKILL)
    os.waitpid(child, 0)
    return None
