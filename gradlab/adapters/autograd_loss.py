"""`autograd:logsumexp`, and any loss written for HIPS autograd; the gradient comes from autograd.value_and_grad.

`autograd:module:callable` and `autograd:file.py:callable` take a function (logits, labels) -> loss of arrays of
autograd.numpy, a scalar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.adapters.differentiation import PLAIN_WAYS, BackwardPass, claim_of, with_gradient_by
from gradlab.evaluation.claims import implementation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for, one_of

NEEDS = {"autograd": "autograd", "scipy": "autograd"}

Loss = Callable[..., Any]


@implementation(keeps_dtype=True)
def logsumexp(logits: Array, labels: Array) -> tuple[Array, Array]:
    """The mean of logsumexp(x) - x_y by autograd.scipy.special, and its gradient (N, K), in the dtype of the logits."""
    from autograd.scipy.special import logsumexp

    def loss(x: Any, y: Any) -> Any:
        return (logsumexp(x, axis=1) - x[np.arange(len(y)), y]).mean()

    return loss_and_gradient(loss, logits, labels, BackwardPass())


OWN = {"logsumexp": logsumexp}


def resolve(reference: str, target: str) -> Found:
    """What a target `autograd:reference` stands for. Raises TargetError where that is nothing."""
    if reference in OWN:
        return one_of(OWN, reference, target)
    return with_gradient_by(loss_and_gradient, callable_for("autograd", OWN, reference), claim_of(PLAIN_WAYS))


def loss_and_gradient(loss: Loss, logits: Array, targets: Array, backward: BackwardPass) -> tuple[Array, Array]:
    """The loss and its gradient (N, K), in the dtypes that autograd gives them. Raises whatever autograd raises."""
    from autograd import make_vjp

    gradient, value = make_vjp(loss)(logits, targets)
    if np.ndim(value):
        raise TypeError(f"the loss must be one number, got shape {np.shape(value)}")
    above = np.asarray(value).dtype.type(backward.factor)
    return value, PLAIN_WAYS[backward.known(PLAIN_WAYS)](lambda: gradient(above))
