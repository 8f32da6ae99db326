"""The mean over the batch: write `loss`."""

import numpy as np


def loss(logits, labels, reduction="mean"):
    """The mean or the sum of the rows' losses, and its gradient, shape (n_examples, n_classes).

    logits: (n_examples, n_classes), float32 or float64. labels: (n_examples,), integers. reduction: "mean" or "sum".
    """
    raise NotImplementedError("write loss, and take this line out")
