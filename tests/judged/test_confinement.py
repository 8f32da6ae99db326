"""The judged process reaches neither the memory nor the signals of the process that judges it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation, evaluate
from gradlab.judged.confinement import CREATE_RULESET, GET_DUMPABLE, ONLY_THE_VERSION, SCOPES_SINCE, unreadable
from gradlab.problems.problem import Problem

Load = Callable[..., Implementation]

LIBC = ctypes.CDLL(None)
PROBLEM = Problem(np.array([[1.0, -2.0, 0.5], [0.0, 30.0, 0.0]]), np.array([0, 2]))
TRIED = """
def loss(logits, labels):
    try:
        {}
    except OSError:
        return right(logits, labels)
    raise ValueError("it could")
"""
has_scopes = pytest.mark.skipif(
    LIBC.syscall(CREATE_RULESET, None, 0, ONLY_THE_VERSION) < SCOPES_SINCE, reason="this kernel has no such Landlock"
)


@has_scopes
@pytest.mark.parametrize(
    "act",
    [
        "os.kill(os.getppid(), 0)",
        "os.kill(os.getppid(), signal.SIGSTOP)",
        "os.kill(os.getppid(), signal.SIGKILL)",
        "open(f'/proc/{os.getppid()}/mem', 'rb')",
        "open(f'/proc/{os.getppid()}/maps').read(1)",
        "open(f'/proc/{os.getppid()}/environ').read(1)",
        "open(f'/proc/{os.getppid()}/fd/1')",
        "os.readlink(f'/proc/{os.getppid()}/cwd')",
        "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (1, 1))",
        "\\n        if ctypes.CDLL(None).ptrace(16, os.getppid(), None, None): raise OSError",
    ],
)
def test_it_cannot_do_that_to_the_judge(load: Load, act: str) -> None:
    one = load(TRIED.format(act.replace("\\n", "\n")))
    assert evaluate(one, PROBLEM).fault is None


@pytest.mark.parametrize(
    "act",
    [
        "child = os.fork()\n        if child == 0:\n            import time; time.sleep(100)\n"
        "        os.kill(child, signal.SIGTERM); os.waitpid(child, 0); raise OSError",
        "import multiprocessing.shared_memory as shm; one = shm.SharedMemory(create=True, size=10)\n"
        "        one.buf[0] = 1; one.close(); one.unlink(); raise OSError",
        "import tempfile; tempfile.TemporaryFile().write(b'1'); raise OSError",
        "import subprocess; subprocess.run(['true'], check=True); raise OSError",
        "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); raise OSError",
        "import resource; resource.prlimit(os.getpid(), resource.RLIMIT_CORE, (0, 0)); raise OSError",
        "import threading; one = threading.Thread(target=print); one.start(); one.join(); raise OSError",
        "open('/proc/self/maps').read(); os.listdir('/proc/self/fd'); raise OSError",
    ],
)
def test_what_sound_code_does_it_can_do(load: Load, act: str) -> None:
    assert evaluate(load(TRIED.format(act)), PROBLEM).fault is None


@pytest.mark.skipif(os.geteuid() != 0, reason="for others than the superuser /dev/shm is the one of all")
def test_segments_that_it_leaves_are_gone_with_it(load: Load) -> None:
    one = load(TRIED.format("open('/dev/shm/left-978', 'w').write('1'); raise OSError"))
    assert evaluate(one, PROBLEM).fault is None
    assert not Path("/dev/shm/left-978").exists()


def test_the_judge_is_readable_again_afterwards() -> None:
    before = LIBC.prctl(GET_DUMPABLE, 0, 0, 0, 0)
    with unreadable():
        assert LIBC.prctl(GET_DUMPABLE, 0, 0, 0, 0) == 0
    assert LIBC.prctl(GET_DUMPABLE, 0, 0, 0, 0) == before
