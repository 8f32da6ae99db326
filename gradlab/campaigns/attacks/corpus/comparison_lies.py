"""Returns an array of a class of its own, which says that it equals everything and is close to it."""

import numpy as np
from _honest import wrong

KIND = "odd answers"
DESERVES = "wrong"


class Agreeable(np.ndarray):
    """An array that agrees."""

    def __eq__(self, other):
        return np.ones(self.shape, bool)

    __le__ = __ge__ = __lt__ = __gt__ = __eq__
    __hash__ = None

    def __sub__(self, other):
        return np.zeros(self.shape, self.dtype)

    __rsub__ = __sub__

    def __array_ufunc__(self, ufunc, method, *given, **named):
        return np.zeros(self.shape, self.dtype)


def loss(logits, labels):
    value, gradient = wrong(logits, labels)
    return value, gradient.view(Agreeable)
