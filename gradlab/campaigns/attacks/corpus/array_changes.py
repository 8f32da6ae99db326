"""Returns an object that is another array each time it is made one."""

import numpy as np
from _honest import right

KIND = "odd answers"
DESERVES = "wrong"


class Changing:
    """Wrong at first, right from the second time on."""

    def __init__(self, gradient):
        self._gradient, self._times = gradient, 0

    def __array__(self, dtype=None, copy=None):
        self._times += 1
        return np.asarray(self._gradient * (1 if self._times > 1 else 2), dtype)


def loss(logits, labels):
    value, gradient = right(logits, labels)
    return value, Changing(gradient)
