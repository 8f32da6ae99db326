"""What a process gives up for good before foreign code runs in it: reaching the memory and the signals of others.

The standard library alone, as other processes run this file by itself. All of it holds for whatever the process starts
from then on, and nothing of it can be taken back. Where the system lacks something, the rest holds.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from struct import Struct
from typing import Any

GET_DUMPABLE, SET_DUMPABLE, SET_NO_NEW_PRIVILEGES, DROP_FROM_BOUNDING_SET = 3, 4, 38, 24  # of <linux/prctl.h>
CREATE_RULESET, RESTRICT_SELF = 444, 446  # system calls, of the same number on all machines
ONLY_THE_VERSION = 1  # a flag of the first
SCOPES = 3  # no signals, and no abstract sockets, to processes that are not confined with this one: <linux/landlock.h>
SCOPES_SINCE = 6  # version of Landlock; from the first one on it keeps a process from tracing others
NEW_MOUNTS, NEW_SEGMENTS = 0x20000, 0x8000000  # of unshare, <linux/sched.h>
PRIVATE, NO_SETUID, NO_DEVICES = 1 << 18 | 1 << 14, 2, 4  # of mount, <linux/mount.h>; the first for all below it too
SHARED_MEMORY = "/dev/shm"
CAPABILITIES_VERSION = 0x20080522
# Of <linux/capability.h>: to signal others, trace them, change the clock, the kernel, its devices and its mounts.
DANGEROUS = {"kill": 5, "rawio": 17, "ptrace": 19, "admin": 21, "boot": 22, "resource": 24, "time": 25, "module": 16}
DANGEROUS |= {"perfmon": 38, "bpf": 39, "checkpoint_restore": 40}

SET_FILTER, FILTERED = 22, 2  # of <linux/prctl.h>
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # of a filter, <linux/filter.h>: a word, a comparison, what becomes of the call
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # where they are, <linux/seccomp.h>
ALLOWED, REFUSED = 0x7FFF0000, 0x00050001  # the latter with EPERM
UNIX_SOCKETS = 1  # AF_UNIX: a file of one leads out of a file system that is read-only
NEW_RING = 425  # io_uring_setup, of the same number on all machines: rings make sockets without the call
PRLIMIT = {"x86_64": (0xC000003E, 302), "aarch64": (0xC00000B7, 261)}  # by machine: the architecture, and the call
SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # the same

STEP = Struct("=HBBI")  # what to do, how many steps to leave out where it is so, and where it is not, and the number

_LIBC: Any = None
with contextlib.suppress(OSError, TypeError):
    _LIBC = ctypes.CDLL(None, use_errno=True)


def confine() -> None:
    """Gives up, where there is such a thing, all of it for this thread and whatever it starts: begin with it."""
    with contextlib.suppress(OSError, AttributeError):
        keep_segments_private()
        drop_capabilities()
        _LIBC.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        restrict_to_its_own()


@contextlib.contextmanager
def unreadable() -> Iterator[None]:
    """A context in which this process's memory is for the superuser alone to read, where there is such a thing."""
    before = 1
    with contextlib.suppress(AttributeError):
        before = _LIBC.prctl(GET_DUMPABLE, 0, 0, 0, 0)
        _LIBC.prctl(SET_DUMPABLE, 0, 0, 0, 0)
    try:
        yield
    finally:
        with contextlib.suppress(AttributeError):
            _LIBC.prctl(SET_DUMPABLE, before, 0, 0, 0)


def keep_segments_private() -> None:
    """Gives the process a /dev/shm of its own, which is gone with it; for the superuser alone, else nothing."""
    if os.geteuid() != 0 or _LIBC.unshare(NEW_MOUNTS | NEW_SEGMENTS) != 0:
        return
    if _LIBC.mount(b"none", b"/", None, PRIVATE, None) == 0:
        _LIBC.mount(b"tmpfs", SHARED_MEMORY.encode(), b"tmpfs", NO_SETUID | NO_DEVICES, b"size=50%")


def drop_capabilities() -> None:
    """Gives up the superuser's DANGEROUS capabilities; whoever is none has none of them."""
    for number in DANGEROUS.values():
        _LIBC.prctl(DROP_FROM_BOUNDING_SET, number, 0, 0, 0)
    head = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable, of the first 32 capabilities and of the rest
    if _LIBC.capget(head, sets) != 0:
        return
    for number in DANGEROUS.values():
        for place in range(3):
            sets[3 * (number // 32) + place] &= ~(1 << number % 32)
    _LIBC.capset(head, sets)


class Filter(ctypes.Structure):
    """The struct sock_fprog of <linux/filter.h>: steps of a filter, and how many."""

    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.c_void_p))


def keep_limits_of_others() -> None:
    """Has the kernel refuse to change the limits of any other process."""
    machine = os.uname().machine
    if machine not in PRLIMIT:
        return
    architecture, number = PRLIMIT[machine]
    steps = (
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 0, 6, architecture),
        (LOAD, 0, 0, NUMBER),
        (EQUAL, 0, 4, number),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (EQUAL, 2, 0, 0),
        (EQUAL, 1, 0, os.getpid()),
        (RETURN, 0, 0, REFUSED),
        (RETURN, 0, 0, ALLOWED),
    )
    install_filter(steps)


def refuse_sockets_of_files() -> None:
    """Has the kernel refuse sockets that may be files; pairs of them, which lead nowhere else, can be made."""
    machine = os.uname().machine
    if machine not in SOCKET:
        return
    architecture, number = SOCKET[machine]
    _LIBC.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    install_filter(
        (
            (LOAD, 0, 0, ARCHITECTURE),
            (EQUAL, 0, 6, architecture),
            (LOAD, 0, 0, NUMBER),
            (EQUAL, 3, 0, NEW_RING),
            (EQUAL, 0, 3, number),
            (LOAD, 0, 0, FIRST_ARGUMENT),
            (EQUAL, 0, 1, UNIX_SOCKETS),
            (RETURN, 0, 0, REFUSED),
            (RETURN, 0, 0, ALLOWED),
        )
    )


def install_filter(steps: tuple[tuple[int, int, int, int], ...]) -> None:
    """Has the kernel ask these steps at every system call from now on."""
    kept = ctypes.create_string_buffer(b"".join(STEP.pack(*step) for step in steps))
    whole = Filter(len(steps), ctypes.cast(kept, ctypes.c_void_p))
    _LIBC.prctl(SET_FILTER, FILTERED, ctypes.byref(whole), 0, 0)


def restrict_to_its_own() -> None:
    """Keeps the process from tracing, reading and signalling whatever it does not start itself, by Landlock.

    And from setting limits to it: where the kernel is so new, a filter of calls does not make all else slower.
    """
    if _LIBC.syscall(CREATE_RULESET, None, 0, ONLY_THE_VERSION) < SCOPES_SINCE:
        return
    keep_limits_of_others()
    rules = (ctypes.c_uint64 * 3)(0, 0, SCOPES)  # of files and of the network: nothing
    ruleset = _LIBC.syscall(CREATE_RULESET, rules, ctypes.sizeof(rules), 0)
    if ruleset >= 0:
        _LIBC.syscall(RESTRICT_SELF, ruleset, 0)
        os.close(ruleset)
