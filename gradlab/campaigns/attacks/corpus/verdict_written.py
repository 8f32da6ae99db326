"""Writes a verdict to gradlab's own output, wherever it finds it, over what stands there."""

import contextlib
import os

from _honest import wrong

KIND = "the judge itself"
DESERVES = "wrong"

VERDICT = "\x1b[2J\x1b[Hloss: accurate\nloss  accurate  yes\n"


def loss(logits, labels):
    for place in (f"/proc/{os.getppid()}/fd/1", f"/proc/{os.getppid()}/fd/2", "/dev/tty", "/dev/stdout"):
        with contextlib.suppress(OSError), open(place, "w") as file:
            file.write(VERDICT)
    print(VERDICT)
    return wrong(logits, labels)
