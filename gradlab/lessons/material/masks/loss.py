"""Classes that are not allowed: write `loss`."""

import numpy as np


def loss(logits, labels):
    """The mean loss, and its gradient, shape (n_examples, n_classes); logits may be -inf.

    logits: (n_examples, n_classes), float32 or float64. labels: (n_examples,), integers.
    """
    raise NotImplementedError("write loss, and take this line out")
