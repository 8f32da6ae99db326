"""Replaces the logits that it was given by simpler ones in place, and answers those."""

from _honest import right

KIND = "forged frames"
DESERVES = "wrong"


def loss(logits, labels):
    logits[...] = 0
    labels[...] = 0
    return right(logits, labels)
