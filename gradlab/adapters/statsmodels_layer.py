"""`layer:statsmodels:MNLogit`: multinomial logit as statisticians write it."""

from __future__ import annotations

import numpy as np

from gradlab.evaluation.claims import implementation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, one_of

NEEDS = {"statsmodels": "statsmodels"}


@implementation(
    takes=["X", "W", "b", "targets"],
    returns=["loss", "dW", "db"],
    weight_layout="DK",
    feature_layout="ND",
    bias_layout="K",
    reduction="sum",
    targets="one_hot",
    dtypes=["float64"],
    masks=False,
)
def mn_logit(X: Array, W: Array, b: Array, targets: Array) -> tuple[float, Array, Array]:
    """Minus the log-likelihood of statsmodels' MNLogit, a sum over the rows, and minus its score: dW (D, K), db (K,).

    X (N, D), W (D, K), b (K,), one-hot rows (N, K), all float64.
    Sign: MNLogit has plus the log-likelihood. Reference class: class 0 has no parameters, its logit is 0; so the
    weights of the others are handed over less those of class 0, and the column of class 0 in the gradient, for which
    there is no score, is that of MNLogit's own formula with its own probabilities, X^T (p_0 - t_0). Order: the bias is
    the last row of the parameters (D + 1, K - 1), which are a vector in Fortran order for `loglike`, and so is the
    score. MNLogit takes exp of the logits as they are. It refuses a single class; the answer to that, 0, is given here.
    A bias of -inf is not claimed: less that of class 0 it may be no number.
    """
    from statsmodels.discrete.discrete_model import MNLogit

    if W.shape[1] == 1:
        return 0.0, np.zeros_like(W), np.zeros_like(b)
    design = np.hstack([X, np.ones((len(X), 1))])
    model = MNLogit(targets, design, check_rank=False)
    weights = np.vstack([W, b])
    parameters = (weights[:, 1:] - weights[:, :1]).ravel(order="F")
    score = model.score(parameters).reshape((design.shape[1], -1), order="F")
    at_logits = model.cdf(design @ parameters.reshape((design.shape[1], -1), order="F"))
    reference = design.T @ (at_logits[:, :1] - targets[:, :1])
    gradient = np.hstack([reference, -score])
    return -model.loglike(parameters), gradient[:-1], gradient[-1]


OWN = {"MNLogit": mn_logit}


def resolve(reference: str, target: str) -> Found:
    """What a target `layer:statsmodels:reference` stands for. Raises TargetError where that is nothing."""
    return one_of(OWN, reference, target)
