"""The process in which implementations under test run: it does one task after another until nobody asks any more."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import pickle
import signal
import traceback
from multiprocessing.connection import Connection

from gradlab.evaluation.capture import Capture
from gradlab.evaluation.process_state import WATCHES
from gradlab.isolation.journal import Journal
from gradlab.isolation.limits import LOST_CONNECTION
from gradlab.isolation.streams import Folder, Streams
from gradlab.isolation.worker_context import Setting, WorkerContext

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def main(connection: int, setting: Setting) -> None:
    """Answers tasks that come through the connection until it is closed, and ends the process."""
    _die_with(setting.parent)
    for descriptor in (connection, setting.journal):
        os.set_inheritable(descriptor, False)
    faulthandler.enable(os.dup(2), all_threads=False)
    os.chdir(setting.here)
    streams = Streams(connection)
    capture = Capture(streams.spill, (*WATCHES, streams.same_streams, Folder(setting.folder).same_files))
    context = WorkerContext(Connection(connection), Journal(setting.journal), setting, streams, capture)
    try:
        while True:
            _answer(context)
    except EOFError:
        os._exit(0)  # whatever threads are left
    except OSError:
        os._exit(LOST_CONNECTION)


def _answer(context: WorkerContext) -> None:
    task, context.checkpoint = pickle.loads(context.connection.recv_bytes())
    process = os.getpid()
    try:
        answer = ("result", task(context))
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        answer = ("error", (said, traceback.format_exc()))
    if os.getpid() == process:
        context.connection.send_bytes(pickle.dumps(answer))


def _die_with(parent: int) -> None:
    """Has the kernel end this process when the one that watches it is gone, where it can (Linux)."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
