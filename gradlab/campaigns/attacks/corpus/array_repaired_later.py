"""Returns a wrong array, and has a thread put it right before somebody looks again."""

import threading

from _honest import right

KIND = "acting later"
DESERVES = "wrong"


def loss(logits, labels):
    value, gradient = right(logits, labels)
    exact = gradient.copy()
    gradient *= gradient.dtype.type(1.5)
    threading.Timer(0.0005, gradient.__setitem__, (..., exact)).start()
    return value, gradient
