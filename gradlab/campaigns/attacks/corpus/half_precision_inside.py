"""Computes in float16 what it is given in float32."""

import numpy as np
from _honest import right

KIND = "another code or dtype"
DESERVES = "wrong"


def loss(logits, labels):
    value, gradient = right(logits.astype(np.float16), labels)
    return logits.dtype.type(value), gradient.astype(logits.dtype)
