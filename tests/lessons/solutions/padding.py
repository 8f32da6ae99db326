import numpy as np


def loss(logits, labels, ignore_index=None):
    rows = np.arange(len(labels))
    kept = np.ones(len(labels), bool) if ignore_index is None else labels != ignore_index
    known = np.where(kept, labels, 0)
    d = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(d)
    s = e.sum(axis=1)
    losses = np.log(s) - d[rows, known]
    gradient = e / s[:, None]
    gradient[rows, known] -= 1
    gradient[~kept] = 0
    count = kept.sum()
    if count == 0:
        return logits.dtype.type(np.nan), gradient
    return losses[kept].sum() / logits.dtype.type(count), gradient / logits.dtype.type(count)
