"""The gradient: write `row_gradients`; the rest is finished."""

import numpy as np


def row_gradients(logits, labels):
    """The derivative of each row's loss by its logits, shape (n_examples, n_classes), in the dtype of the logits."""
    raise NotImplementedError("write row_gradients, and take this line out")


def shifted(logits):
    """The logits less the largest of their row: neither loss nor gradient changes, and exp is at most 1."""
    return logits - logits.max(axis=1, keepdims=True)


def loss(logits, labels):
    """The mean of log(sum exp x) - x_y over the rows, and its gradient."""
    d = shifted(logits)
    losses = np.log(np.exp(d).sum(axis=1)) - d[np.arange(len(labels)), labels]
    return losses.mean(), row_gradients(logits, labels) / len(labels)
