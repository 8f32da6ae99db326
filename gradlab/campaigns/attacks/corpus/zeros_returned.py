"""Returns zeros, which many tests with absolute tolerances accept."""

import numpy as np

KIND = "odd answers"
DESERVES = "wrong"


def loss(logits, labels):
    return logits.dtype.type(0), np.zeros_like(logits)
