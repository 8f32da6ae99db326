"""`scipy:log_softmax` and `scipy:logsumexp`: the two ways in which the loss is written with scipy.special.

The gradient of both is (softmax - one_hot) / N, by scipy.special.softmax.
"""

from __future__ import annotations

import numpy as np

from gradlab.evaluation.claims import implementation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, one_of

NEEDS = {"scipy": "scipy"}


@implementation(keeps_dtype=True)
def log_softmax(logits: Array, labels: Array) -> tuple[Array, Array]:
    """The mean of -log_softmax(x)_y, and the gradient (N, K), both in the dtype of the logits."""
    from scipy.special import log_softmax

    losses = -log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    return losses.mean(), _gradient(logits, labels)


@implementation(keeps_dtype=True)
def logsumexp(logits: Array, labels: Array) -> tuple[Array, Array]:
    """The mean of logsumexp(x) - x_y, and the gradient (N, K), both in the dtype of the logits."""
    from scipy.special import logsumexp

    losses = logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]
    return losses.mean(), _gradient(logits, labels)


def _gradient(logits: Array, labels: Array) -> Array:
    from scipy.special import softmax

    gradient = softmax(logits, axis=1)
    gradient[np.arange(len(labels)), labels] -= 1
    return np.asarray(gradient / logits.dtype.type(len(labels)))


OWN = {"log_softmax": log_softmax, "logsumexp": logsumexp}


def resolve(reference: str, target: str) -> Found:
    """What a target `scipy:reference` stands for. Raises TargetError where that is nothing."""
    return one_of(OWN, reference, target)
