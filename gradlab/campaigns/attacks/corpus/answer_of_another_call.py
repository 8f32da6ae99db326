"""Gives the answer of an earlier call of the same shape."""

from _honest import right

KIND = "forged frames"
DESERVES = "wrong"
OPTIONS = ["--profile", "quick"]

answers = {}


def loss(logits, labels):
    return answers.setdefault(logits.shape, right(logits, labels))
