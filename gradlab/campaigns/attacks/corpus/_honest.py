"""The loss and its gradient as they should be, and as they should not; what the attacks beside this file answer."""

import numpy as np


def right(logits, labels):
    """The mean loss and its gradient."""
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1)
    gradient = exponentials / sums[:, None]
    gradient[rows, labels] -= 1
    return np.mean(np.log(sums) - shifted[rows, labels]), gradient / gradient.dtype.type(len(labels))


def wrong(logits, labels):
    """The mean loss, and a gradient that is one percent too large."""
    loss, gradient = right(logits, labels)
    return loss, gradient * gradient.dtype.type(1.01)
