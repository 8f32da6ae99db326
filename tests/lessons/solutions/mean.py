import numpy as np


def loss(logits, labels, reduction="mean"):
    rows = np.arange(len(labels))
    d = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(d)
    s = e.sum(axis=1)
    losses = np.log(s) - d[rows, labels]
    gradient = e / s[:, None]
    gradient[rows, labels] -= 1
    if reduction == "none":
        return losses, gradient
    if reduction == "sum":
        return losses.sum(), gradient
    return losses.mean(), gradient / len(labels)
