"""Signals to gradlab's process: code under test must not end it by one, whoever runs it may."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from gradlab.cli.status import Status
from gradlab.isolation.orphans import orphans_adopted

ENDING = {
    getattr(signal, name): status
    for name, status in {"SIGTERM": Status.TERMINATED, "SIGHUP": Status.HUNG_UP}.items()
    if hasattr(signal, name)
}
LEFT = ("SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH")  # these end nothing
ENOUGH = max(signal.valid_signals())  # tells the thread that listens that nobody has to any more


class Ended(KeyboardInterrupt):
    """An interrupt by another signal than SIGINT."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def handle_signals() -> None:
    """Has SIGTERM and SIGHUP interrupt this process as SIGINT does, unless they are ignored."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough: the run concludes now, which takes seconds
    _received.append(number)
    raise Ended(number)


_received: list[int] = []


def interrupt_received() -> KeyboardInterrupt:
    """What has interrupted a run that has concluded since."""
    return Ended(_received[-1]) if _received else KeyboardInterrupt()


@contextlib.contextmanager
def signals_from_workers_ignored() -> Iterator[None]:
    """A context in which what a worker, or something that it has started, sends to this process has no effect.

    A handler is not told who sent a signal, so that all that end or stop a process are blocked and a thread waits for
    them (POSIX). SIGKILL and SIGSTOP cannot be blocked; a fault of this process's own ends it all the same. Threads
    that are there already take them as before: NumPy, which starts some, is to be imported inside.
    """
    if not hasattr(signal, "sigwaitinfo") or threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = signal.valid_signals() - {getattr(signal, name) for name in LEFT if hasattr(signal, name)}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    over = threading.Event()
    thread = threading.Thread(target=_listen, args=(numbers, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        assert thread.ident is not None
        signal.pthread_kill(thread.ident, ENOUGH)
        thread.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def held_apart() -> Iterator[None]:
    """A context for workers: signals of theirs have no effect, and what they leave behind is ended with it."""
    with signals_from_workers_ignored(), orphans_adopted():
        yield


def _listen(numbers: set[int], over: threading.Event) -> None:
    while True:
        # without a time: interrupted, as when a stopped process goes on, CPython's sigtimedwait tells of any signal
        came = signal.sigwaitinfo(numbers)
        if over.is_set() and came.si_signo == ENOUGH:
            return
        if not _is_of_worker(came.si_pid):
            _deliver(came.si_signo)


def _deliver(number: int) -> None:
    """Has a signal do what it does to this process: its handler runs in the main thread; without one, the usual."""
    if callable(signal.getsignal(number)):
        _thread.interrupt_main(number)  # type: ignore[arg-type]  # a real-time signal is no member of the enumeration
        return
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)  # to this thread, in which alone it is not blocked: before the next line
    signal.pthread_sigmask(signal.SIG_BLOCK, {number})


def _is_of_worker(process: int) -> bool:
    """Whether a process is a worker, or was started by one."""
    from gradlab.isolation.janitor import MARK
    from gradlab.isolation.usage import ancestors_of

    with contextlib.suppress(OSError):
        if f"\0{MARK}=".encode() in b"\0" + Path(f"/proc/{process}/environ").read_bytes():
            return True
    return os.getpid() in ancestors_of(process)  # its environment may be another one
