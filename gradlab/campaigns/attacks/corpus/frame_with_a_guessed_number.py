"""Answers each call with a frame of its own, whose number it guesses."""

import os

from _frames import connection, frame
from _honest import wrong

KIND = "forged frames"
DESERVES = "wrong"


def loss(logits, labels):
    os.write(connection(), frame(2, os.urandom(16)))
    return wrong(logits, labels)
