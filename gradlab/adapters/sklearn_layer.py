"""`layer:sklearn:LinearModelLoss`: the loss of the weights behind scikit-learn's LogisticRegression."""

from __future__ import annotations

import numpy as np

from gradlab.evaluation.claims import implementation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, one_of

NEEDS = {"sklearn": "sklearn"}


@implementation(
    takes=["X", "W", "b", "targets", "l2=l2"],
    returns=["loss", "dW", "db"],
    weight_layout="KD",
    feature_layout="ND",
    bias_layout="K",
    l2_form="half",
    l2_takes_bias=False,
    options=["sample_weights"],
    keeps_dtype=True,
)
def linear_model_loss(
    X: Array, W: Array, b: Array, targets: Array, l2: float = 0.0, sample_weights: Array | None = None
) -> tuple[Array, Array, Array]:
    """The loss of sklearn.linear_model._linear_loss.LinearModelLoss, dW (K, D) and db (K,).

    X (N, D), W (K, D), b (K,), labels (N,). scikit-learn takes weight and bias as one array (K, D + 1) in Fortran
    order, the bias last, and labels as floating-point numbers; one outside [0, K) is no class at all, in silence. The
    mean is over the sum of the sample weights; the penalty leaves the bias out. Its gradient is in the dtype of the
    array of weights, its loss a number of Python. A single class it refuses; its answer, the penalty, is given here.
    Raises ValueError for more labels than rows, with which the compiled loss would write outside its arrays.
    """
    from sklearn._loss import HalfMultinomialLoss
    from sklearn.linear_model._linear_loss import LinearModelLoss

    if targets.shape != X.shape[:1]:
        raise ValueError(f"features and labels must have shapes (N, D) and (N,), got {X.shape} and {targets.shape}")
    if len(W) == 1:
        return np.asarray(l2 / 2 * (W * W).sum(), X.dtype), W.dtype.type(l2) * W, np.zeros_like(b)
    model = LinearModelLoss(base_loss=HalfMultinomialLoss(n_classes=len(W)), fit_intercept=True)
    weights = np.asfortranarray(np.hstack([W, b[:, None]]))
    loss, gradient = model.loss_gradient(weights, X, targets.astype(X.dtype), sample_weights, l2, n_threads=1)
    return np.asarray(loss, X.dtype), gradient[:, :-1], gradient[:, -1]


OWN = {"LinearModelLoss": linear_model_loss}


def resolve(reference: str, target: str) -> Found:
    """What a target `layer:sklearn:reference` stands for. Raises TargetError where that is nothing."""
    return one_of(OWN, reference, target)
