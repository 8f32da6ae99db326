"""Returns NaN, of which no comparison says that it is too far off."""

import numpy as np

KIND = "odd answers"
DESERVES = "wrong"


def loss(logits, labels):
    return logits.dtype.type(np.nan), np.full_like(logits, np.nan)
