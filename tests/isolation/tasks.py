"""Tasks for workers, found there by their names."""

from __future__ import annotations

import os
import signal
import time

import numpy as np

from gradlab.isolation.worker_context import WorkerContext


def done(context: WorkerContext) -> str:
    """What is done at once."""
    return "done"


def fail(context: WorkerContext) -> None:
    """What has an error."""
    raise ZeroDivisionError("in the worker")


def end(context: WorkerContext) -> None:
    """What ends its process, as the system does for want of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def fill(context: WorkerContext) -> None:
    """What takes memory without end, and says that it lives."""
    kept = []
    while True:
        kept.append(np.ones(1 << 20))
        context.sign()


def wait(context: WorkerContext) -> None:
    """What says that it has begun, and then nothing."""
    context.watch("begun")
    time.sleep(1e6)


def conclude(context: WorkerContext) -> str:
    """What concludes when it is interrupted."""
    try:
        wait(context)
    except KeyboardInterrupt:
        return "concluded"
    return ""
