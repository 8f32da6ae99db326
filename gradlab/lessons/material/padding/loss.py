"""Rows that do not count: write `loss`."""

import numpy as np


def loss(logits, labels, ignore_index=None):
    """The mean loss of the rows whose label is not ignore_index, and its gradient, shape (n_examples, n_classes).

    logits: (n_examples, n_classes), float32 or float64. labels: (n_examples,), integers. ignore_index: an integer, or
    None where all rows count.
    """
    raise NotImplementedError("write loss, and take this line out")
