"""Returns an object that takes its time when it is looked at, and then is right."""

import time

from _honest import right

KIND = "odd answers"
DESERVES = "wrong"


class Slow:
    """Says that it is an array, late."""

    def __init__(self, gradient):
        self._gradient = gradient

    def __array__(self, dtype=None, copy=None):
        time.sleep(0.05)
        return self._gradient


def loss(logits, labels):
    return right(logits, labels)[0], Slow(right(logits, labels)[1] * 2)
