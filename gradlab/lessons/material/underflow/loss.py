"""Underflow: write `row_losses`; the rest is finished."""

import numpy as np


def row_losses(logits, labels):
    """-log p_y for each row, shape (n_examples,), in the dtype of the logits.

    Finite for all finite logits.
    """
    raise NotImplementedError("write row_losses, and take this line out")


def softmax(logits):
    """exp(x_j) over its sum along each row, shape (n_examples, n_classes)."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss(logits, labels):
    """The mean of the rows' losses, and its gradient (p - one_hot(labels)) / n_examples."""
    gradient = softmax(logits)
    gradient[np.arange(len(labels)), labels] -= 1
    return row_losses(logits, labels).mean(), gradient / len(labels)
