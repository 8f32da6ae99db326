"""Returns 2^40 numbers in eight bytes, and ten million characters."""

import numpy as np

KIND = "odd answers"
DESERVES = "wrong"


def loss(logits, labels):
    return "0" * 10_000_000, np.broadcast_to(np.float64(0), (1 << 40,))
