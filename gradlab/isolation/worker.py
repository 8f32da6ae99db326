"""The process in which implementations under test run: it does one task after another until nobody asks any more."""

from __future__ import annotations

import faulthandler
import os
import signal
from pickle import dumps, loads  # by their names here: a call may replace pickle.dumps
from socket import socket
from traceback import format_exc
from typing import Any

from gradlab.evaluation.capture import Capture
from gradlab.evaluation.foreign import describe_error
from gradlab.evaluation.process_state import WATCHES
from gradlab.isolation.journal import Journal, seal
from gradlab.isolation.limits import CANNOT_GO_ON, LOST_CONNECTION
from gradlab.isolation.parent import die_with
from gradlab.isolation.streams import Folder, Streams
from gradlab.isolation.wire import WorkerEnd
from gradlab.isolation.worker_context import Setting, WorkerContext


def start(connection: int, **setting: Any) -> None:
    """Answers tasks that come through the connection until it is closed, and ends the process.

    setting: that of a `Setting`, as plain data.
    """
    _run(connection, Setting(**setting))


def _run(connection: int, setting: Setting) -> None:
    die_with(setting.parent)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())  # the one that watches may block some
    for descriptor in (connection, setting.journal):
        os.set_inheritable(descriptor, False)
    faulthandler.enable(os.dup(2), all_threads=False)
    os.chdir(setting.here)
    streams = Streams(connection)
    journal = Journal(setting.journal)
    seal(setting.journal)
    watches = (*WATCHES, streams.same_streams, Folder(setting.folder).same_files)
    capture = Capture(streams.spill, watches, journal.sign)
    context = WorkerContext(
        WorkerEnd(socket(fileno=connection), bytes.fromhex(setting.token)), journal, setting, streams, capture
    )
    try:
        while True:
            _answer(context)
    except EOFError:
        os._exit(0)  # whatever threads are left
    except OSError:
        os._exit(LOST_CONNECTION)
    except BaseException:
        os._exit(CANNOT_GO_ON)


def _answer(context: WorkerContext) -> None:
    task, context.checkpoint = loads(context.connection.receive())
    process = os.getpid()
    content = _content(context, task)
    if os.getpid() == process:
        context.connection.send(content)


def _content(context: WorkerContext, task: Any) -> bytes:
    """The result of a task, or the error that came of it, as they are sent."""
    try:
        return dumps(("result", task(context)))
    except BaseException as error:  # a timer that a call has set may raise anything, anywhere
        return dumps(("error", (describe_error(error), format_exc())))
