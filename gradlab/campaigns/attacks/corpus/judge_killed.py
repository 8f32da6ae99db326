"""Kills the process that judges it."""

import contextlib
import os
import signal

from _honest import wrong

KIND = "the judge itself"
DESERVES = "wrong"


def loss(logits, labels):
    with contextlib.suppress(OSError):
        os.kill(os.getppid(), signal.SIGKILL)
    return wrong(logits, labels)
