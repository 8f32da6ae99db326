"""Is right in its first second."""

import time

from _honest import right, wrong

KIND = "right at times"
DESERVES = "wrong"
OPTIONS = ["--profile", "quick"]

END = time.monotonic() + 1


def loss(logits, labels):
    return right(logits, labels) if time.monotonic() < END else wrong(logits, labels)
