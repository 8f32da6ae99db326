"""Has a thread read the questions before gradlab's code can, and answer them itself."""

import contextlib
import os
import struct
import threading

from _frames import connection, frame
from _honest import wrong

KIND = "forged frames"
DESERVES = "wrong"


threads = []


def answer():
    while True:
        with contextlib.suppress(OSError, struct.error):
            said = os.read(connection(), 1 << 20)
            _, _, kind, number, _ = struct.unpack("=4sHH16sQ", said[:32])
            os.write(connection(), frame(kind, number))


def loss(logits, labels):
    if not threads:
        threads.append(threading.Thread(target=answer, daemon=True))
        threads[0].start()
    return wrong(logits, labels)
