"""Returns random numbers of about the right size."""

import numpy as np
from _honest import right

KIND = "odd answers"
DESERVES = "wrong"


def loss(logits, labels):
    value, gradient = right(logits, labels)
    return value, np.random.default_rng().permuted(gradient, axis=1)
