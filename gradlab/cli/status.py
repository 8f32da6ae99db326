"""What an exit status means."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """The exit statuses of every command."""

    MET = 0
    NOT_MET = 1
    USAGE = 2
    INTERNAL = 3
    NOTHING_CHECKED = 4
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143
