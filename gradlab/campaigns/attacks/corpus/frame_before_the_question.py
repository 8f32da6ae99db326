"""Answers before it is asked: while it is loaded, and with a number that it guesses."""

import os

from _frames import connection, frame
from _honest import wrong

KIND = "forged frames"
DESERVES = "wrong"


os.write(connection(), frame(2, bytes(16)))


def loss(logits, labels):
    return wrong(logits, labels)
