"""An accurate gradient: write `loss`."""

import numpy as np


def loss(logits, labels):
    """The mean loss, and its gradient, shape (n_examples, n_classes), right to a few units in the last place.

    logits: (n_examples, n_classes), float32. labels: (n_examples,), integers.
    """
    raise NotImplementedError("write loss, and take this line out")
