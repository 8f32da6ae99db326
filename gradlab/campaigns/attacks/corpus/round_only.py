"""Is right for logits of few digits, as in problems that people write down."""

import numpy as np
from _honest import right, wrong

KIND = "right at times"
DESERVES = "wrong"


def loss(logits, labels):
    is_round = np.all(np.nan_to_num(logits) * 16 % 1 == 0)
    return right(logits, labels) if is_round else wrong(logits, labels)
