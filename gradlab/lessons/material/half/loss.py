"""Half precision: write `loss`."""

import numpy as np


def loss(logits, labels):
    """The mean loss, and its gradient, shape (n_examples, n_classes), both in the dtype of the logits.

    logits: (n_examples, n_classes), float16 or bfloat16. labels: (n_examples,), integers.
    """
    raise NotImplementedError("write loss, and take this line out")
