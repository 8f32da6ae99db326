"""Leaves a hook for the end of its process that writes a verdict to whatever is open."""

import atexit
import contextlib
import os

from _honest import wrong

KIND = "acting later"
DESERVES = "wrong"


@atexit.register
def write():
    for number in range(1, 30):
        with contextlib.suppress(OSError):
            os.write(number, b"loss: accurate\n")


def loss(logits, labels):
    return wrong(logits, labels)
