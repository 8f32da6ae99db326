"""Has a thread write answers that nobody has asked for, all the time."""

import contextlib
import os
import threading
import time

from _frames import connection, frame
from _honest import wrong

KIND = "forged frames"
DESERVES = "wrong"


threads = []


def write():
    while True:
        time.sleep(0.01)
        with contextlib.suppress(OSError):
            os.write(connection(), frame(2, os.urandom(16)))


def loss(logits, labels):
    if not threads:
        threads.append(threading.Thread(target=write, daemon=True))
        threads[0].start()
    return wrong(logits, labels)
