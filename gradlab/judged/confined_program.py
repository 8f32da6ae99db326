"""Runs a program confined, under a process that is its parent and waits for it: a program by itself.

It is run as a copy of this file, beside one of `confinement.py`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from importlib import import_module
from typing import Any

NEW_MOUNTS, NEW_PROCESSES = 0x20000, 0x20000000  # of unshare, <linux/sched.h>
DIE_WITH_PARENT = 1  # of <linux/prctl.h>
PRIVATE, NO_SETUID, NO_DEVICES, NO_EXECUTION = 1 << 18 | 1 << 14, 2, 4, 8  # of mount, <linux/mount.h>


def main() -> None:
    """Runs the program whose file is the first argument, with the arguments that follow."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())  # the one that starts this may block some
    libc: Any = ctypes.CDLL(None)
    is_hidden = os.geteuid() == 0 and libc.unshare(NEW_MOUNTS | NEW_PROCESSES) == 0
    _below(libc)
    if is_hidden and libc.mount(b"none", b"/", None, PRIVATE, None) == 0:
        libc.mount(b"proc", b"/proc", b"proc", NO_SETUID | NO_DEVICES | NO_EXECUTION, None)
    _below(libc)
    import_module("confinement").confine()
    os.execv(sys.executable, [sys.executable, "-P", *sys.argv[1:]])


def _below(libc: Any) -> None:
    """Goes on in a child; this process waits for it, and ends as it does. Each dies with its parent."""
    with contextlib.suppress(AttributeError):
        libc.prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0x7F)
    with contextlib.suppress(AttributeError):
        libc.prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main()
