"""Sends every signal there is to all processes that it may reach."""

import contextlib
import os
import signal

from _honest import wrong

KIND = "the judge itself"
DESERVES = "wrong"


def loss(logits, labels):
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
        with contextlib.suppress(OSError):
            os.kill(os.getppid(), one)
    return wrong(logits, labels)
