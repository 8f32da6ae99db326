"""Returns the right array, and changes it a moment after the judge has it."""

from _honest import right

KIND = "acting later"
DESERVES = "wrong"
OPTIONS = ["--profile", "quick"]

kept = []


def loss(logits, labels):
    value, gradient = right(logits, labels)
    kept.append(gradient)
    for earlier in kept[-5:-1]:
        earlier[...] = 0
    return value, gradient
