"""Returns its argument, and changes it afterwards."""

from _honest import wrong

KIND = "odd answers"
DESERVES = "wrong"


def loss(logits, labels):
    value, gradient = wrong(logits, labels)
    logits[...] = gradient
    return value, logits[:]
