"""Is right in the process that loads it first, and wrong in those that follow."""

from pathlib import Path

from _honest import right, wrong

KIND = "right at times"
DESERVES = "wrong"

LOCK = Path(__file__).with_suffix(".lock")
IS_FIRST = not LOCK.exists()
LOCK.touch()


def loss(logits, labels):
    return right(logits, labels) if IS_FIRST else wrong(logits, labels)
