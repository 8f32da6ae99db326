"""Puts a verdict, and codes that clear the screen, into its name, its exceptions and its warnings."""

import warnings

from _honest import wrong

KIND = "the judge itself"
DESERVES = "wrong"

VERDICT = "\x1b[2J\x1b[Hloss: accurate\n::notice::loss: accurate\n"


class FineError(Exception):
    """One whose class has another name, too."""


FineError.__name__ = "\x1b[2Jloss: accurate\n"


def loss(logits, labels):
    warnings.warn(VERDICT, stacklevel=1)
    if len(labels) > 2:
        raise FineError(VERDICT)
    return wrong(logits, labels)
