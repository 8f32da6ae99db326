"""Signals that are held back while code under test runs elsewhere: what comes from outside arrives, and no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.processes import LONGEST

PROGRAM = """
import select
import signal
import sys
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGRTMAX):
    signal.signal(number, signal.SIG_DFL)  # whoever began the tests may ignore some
signal.signal(signal.SIGINT, signal.default_int_handler)
from gradlab.cli.signals import signals_from_workers_ignored
with signals_from_workers_ignored():
    print("inside", flush=True)
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass  # an interrupt comes between two looks
print("over", flush=True)
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A process that holds signals back until it is given a line."""
    command, pipe = [sys.executable, "-c", PROGRAM], subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as begun:
        try:
            assert begun.stdout is not None
            assert begun.stdout.readline() == "inside\n"
            yield begun
        finally:
            begun.kill()


def test_a_process_that_is_stopped_and_goes_on_takes_that_for_no_other_signal(process: subprocess.Popen[str]) -> None:
    for _ in range(50):
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        process.send_signal(signal.SIGCONT)
    assert process.communicate("\n", LONGEST) == ("over\n", "")
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT, signal.SIGRTMAX])
def test_a_signal_from_outside_does_what_it_does(process: subprocess.Popen[str], number: signal.Signals) -> None:
    process.send_signal(number)
    process.wait(LONGEST)
    ended_by_python = number is signal.SIGINT  # KeyboardInterrupt, and then as the signal does
    assert process.returncode == -number or (ended_by_python and process.returncode in (1, 130))
