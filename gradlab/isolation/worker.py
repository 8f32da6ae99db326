"""The process from which code under test is judged: it does one task after another until nobody asks any more."""

from __future__ import annotations

import faulthandler
import os
import signal
from pickle import dumps, loads
from socket import socket
from traceback import format_exc
from typing import Any

from gradlab.evaluation.foreign import spelled_error
from gradlab.isolation.limits import CANNOT_GO_ON, LOST_CONNECTION
from gradlab.isolation.parent import die_with
from gradlab.isolation.wire import WorkerEnd
from gradlab.isolation.worker_context import WorkerContext


def start(connection: int, parent: int, here: str, folder: str) -> None:
    """Answers tasks that come through the connection until it is closed, and ends the process.

    parent: the process that watches. here: the folder in which targets are given. folder: one of its own.
    """
    die_with(parent)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())  # the one that watches may block some
    os.set_inheritable(connection, False)
    faulthandler.enable(os.dup(2), all_threads=False)
    os.chdir(here)
    context = WorkerContext(WorkerEnd(socket(fileno=connection)))
    try:
        while True:
            context.connection.send(_content(context, loads(context.connection.receive())))
    except EOFError:
        os._exit(0)  # whatever threads are left
    except OSError:
        os._exit(LOST_CONNECTION)
    except BaseException:
        os._exit(CANNOT_GO_ON)


def _content(context: WorkerContext, task: Any) -> bytes:
    """The result of a task, or the error that came of it, as they are sent."""
    try:
        return dumps(("result", task(context)))
    except BaseException as error:
        return dumps(("error", (spelled_error(error), format_exc())))
