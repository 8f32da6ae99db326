"""`sklearn:HalfMultinomialLoss`: the loss behind scikit-learn's LogisticRegression and gradient boosting."""

from __future__ import annotations

import numpy as np

from gradlab.adapters.checked import checked_shape
from gradlab.evaluation.claims import implementation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, one_of

NEEDS = {"sklearn": "sklearn"}


@implementation(reduction=["mean", "none"], options=["sample_weights"], keeps_dtype=True)
def half_multinomial_loss(
    logits: Array, labels: Array, reduction: str = "mean", sample_weights: Array | None = None
) -> tuple[Array, Array]:
    """The loss of sklearn._loss.HalfMultinomialLoss, and its gradient (N, K), both in the dtype of the logits.

    scikit-learn gives one loss for each row, times its weight; the mean over the sum of the weights, as in its losses'
    own __call__, is taken here. What is called is the compiled loss, `closs`:
    the method around it has the same numbers, and refuses a single class and a batch without rows. The labels become
    floating-point numbers, as it wants them; one outside [0, K) counts as no class at all, in silence.
    Raises ValueError for more labels than rows, with which scikit-learn 1.9.1 writes outside its arrays.
    """
    from sklearn._loss import HalfMultinomialLoss

    n_rows, n_classes = checked_shape(logits, labels)
    losses, gradient = np.empty(n_rows, logits.dtype), np.empty_like(logits, order="C")
    HalfMultinomialLoss(n_classes=n_classes).closs.loss_gradient(
        y_true=labels.astype(logits.dtype),
        raw_prediction=np.array(logits, order="C"),
        sample_weight=sample_weights,
        loss_out=losses,
        gradient_out=gradient,
    )
    if reduction == "none":
        return losses, gradient
    total = logits.dtype.type(len(losses)) if sample_weights is None else sample_weights.sum()
    return losses.sum() / total, gradient / total


OWN = {"HalfMultinomialLoss": half_multinomial_loss}


def resolve(reference: str, target: str) -> Found:
    """What a target `sklearn:reference` stands for. Raises TargetError where that is nothing."""
    return one_of(OWN, reference, target)
