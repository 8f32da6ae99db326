"""Keeps the exponentials alone in float16."""

import numpy as np

KIND = "another code or dtype"
DESERVES = "wrong"


def loss(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted).astype(np.float16).astype(logits.dtype)
    sums = exponentials.sum(axis=1)
    gradient = exponentials / sums[:, None]
    gradient[rows, labels] -= 1
    return np.mean(np.log(sums) - shifted[rows, labels]), gradient / gradient.dtype.type(len(labels))
