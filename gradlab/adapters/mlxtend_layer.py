"""`layer:mlxtend:SoftmaxRegression`: the softmax regression of mlxtend, its cost and its backward pass."""

from __future__ import annotations

import numpy as np

from gradlab.evaluation.claims import implementation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, one_of

NEEDS = {"mlxtend": "mlxtend"}


@implementation(
    takes=["X", "W", "b", "targets", "l2=l2"],
    returns=["loss", "dW", "db"],
    weight_layout="DK",
    feature_layout="ND",
    bias_layout="K",
    l2_form="half",
    l2_takes_bias=False,
    targets="one_hot",
)
def softmax_regression(X: Array, W: Array, b: Array, targets: Array, l2: float = 0.0) -> tuple[Array, Array, Array]:
    """The cost of mlxtend's SoftmaxRegression, and what it steps by: dW (D, K) and db (K,), in the features' dtype.

    X (N, D), W (D, K), b (K,), one-hot rows (N, K). The step takes l2 W, so the penalty is l2/2 |W|^2, which is what
    the cost adds too. Does not hold: the rest of the cost is half a mean, and the rest of the step that of a sum, so
    that the step is 2 N times the derivative of the cost.
    """
    from mlxtend.classifier import SoftmaxRegression

    model = SoftmaxRegression(l2=l2, n_classes=W.shape[1])
    model.w_, model.b_ = W, b
    p = model._forward(X)
    by_weight, by_bias = model._backward(X, y_true=targets, y_probas=p)
    cost = model._cost(model._cross_entropy(output=p, y_target=targets))
    return np.asarray(cost), by_weight + model.l2 * model.w_, by_bias


OWN = {"SoftmaxRegression": softmax_regression}


def resolve(reference: str, target: str) -> Found:
    """What a target `layer:mlxtend:reference` stands for. Raises TargetError where that is nothing."""
    return one_of(OWN, reference, target)
