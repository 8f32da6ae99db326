"""Overflow: write `softmax`; `loss` is finished."""

import numpy as np


def softmax(logits):
    """exp(x_j) over its sum along each row, shape (n_examples, n_classes), in the dtype of the logits.

    Finite for all finite logits.
    """
    raise NotImplementedError("write softmax, and take this line out")


def loss(logits, labels):
    """The mean of -log p_y over the rows, and its gradient (p - one_hot(labels)) / n_examples."""
    rows = np.arange(len(labels))
    p = softmax(logits)
    value = -np.log(p[rows, labels]).mean()
    gradient = p.copy()
    gradient[rows, labels] -= 1
    return value, gradient / len(labels)
