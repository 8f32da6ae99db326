"""Finds the number of the question in its own memory, and answers twice."""

import gc
import os

from _frames import connection, frame
from _honest import wrong

KIND = "forged frames"
DESERVES = "wrong"


def loss(logits, labels):
    for one in gc.get_objects():
        number = getattr(one, "number", None) if type(one).__name__ == "Frame" else None
        if isinstance(number, bytes):
            os.write(connection(), frame(2, number))
    return wrong(logits, labels)
