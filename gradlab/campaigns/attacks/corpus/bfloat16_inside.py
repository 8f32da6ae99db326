"""Computes in bfloat16 what it is given in float32."""

import ml_dtypes
from _honest import right

KIND = "another code or dtype"
DESERVES = "wrong"


def loss(logits, labels):
    value, gradient = right(logits.astype(ml_dtypes.bfloat16), labels)
    return logits.dtype.type(value), gradient.astype(logits.dtype)
