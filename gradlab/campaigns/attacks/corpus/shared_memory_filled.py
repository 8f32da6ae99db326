"""Fills /dev/shm, so that the judge has no room for arrays."""

import contextlib

from _honest import wrong

KIND = "acting later"
DESERVES = "wrong"

left = []


def loss(logits, labels):
    if not left:
        left.append(1)
        with contextlib.suppress(OSError), open("/dev/shm/attack-979", "wb") as file:
            for _ in range(256):
                file.write(bytes(1 << 20))
    return wrong(logits, labels)
