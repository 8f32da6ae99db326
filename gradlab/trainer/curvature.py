"""How curved the objective is: a proved upper bound on its smoothness L, and how strongly convex it is.

The Hessian of the mean loss is at most (1/2) (1/N) X~^T X~ in every direction: p p^T takes at most a half of the
identity, which is attained (D. Boehning, Multinomial logistic regression algorithm, Ann. Inst. Statist. Math. 44,
1992). So L = lambda_max(X~^T X~)/(2 N) + slope. A step of at most 2/L does not take two points further apart (M. Hardt,
B. Recht, Y. Singer, Train faster, generalize better, ICML 2016), and one of at most 2/(L + mu) contracts by 1 - eta mu.

lambda_max <= lambda is proved by a Cholesky decomposition of lambda I - X~^T X~ that comes to its end, the diagonal
lessened by what rounding can cost (S. Rump, Verification of positive definiteness, BIT 46, 2006, theorem 2.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradlab.problems.problem import Array
from gradlab.trainer.problem import TrainerProblem

UNIT = 2.0**-53
_ROUND_UP = 1 + 2.0**-48  # more than ten roundings


@dataclass(frozen=True)
class Curvature:
    """smoothness: L, proved. convexity: mu, at least; 0 where the penalty leaves some parameter out."""

    smoothness: float
    convexity: float

    def expansion(self, learning_rate: float) -> float:
        """By which factor a step may take two points apart, at most: 1 or less up to a step of 2/L."""
        towards = 1 - learning_rate * self.convexity * (1 - 2.0**-50)
        beyond = (learning_rate * self.smoothness * _ROUND_UP - 1) * _ROUND_UP
        return float(max(towards * _ROUND_UP if self.convexity else 1.0, beyond))


def curvature_of(problem: TrainerProblem) -> Curvature:
    """The curvature of every step's objective: of the batches the largest smoothness."""
    slope = float(problem.slopes.max())
    smoothness = max(_smoothness(problem.extended64[rows]) for rows in problem.batches) + slope
    return Curvature(smoothness * _ROUND_UP, float(problem.slopes.min()))


def _smoothness(extended: Array) -> float:
    return largest_eigenvalue(extended) / (2 * len(extended)) * _ROUND_UP


def largest_eigenvalue(extended: Array) -> float:
    """An upper bound of the largest eigenvalue of X^T X, within some 1e-9 of it."""
    gram, sizes = extended.T @ extended, np.abs(extended)
    gram = (gram + gram.T) / 2
    off = (len(extended) + 2) * UNIT / (1 - (len(extended) + 2) * UNIT)
    lost = float((off * (sizes.T @ sizes)).sum(axis=1).max()) * _ROUND_UP  # of the product, in any norm
    top = max(float(np.linalg.eigvalsh(gram)[-1]), float(np.diag(gram).max()))
    room = 1e-10 * top + lost + 2.0**-500
    while True:
        bound = top + room
        if is_semidefinite(bound * np.eye(len(gram)) - gram, lost + 2 * UNIT * bound):
            return bound * _ROUND_UP
        room *= 2


def is_semidefinite(matrix: Array, lost: float) -> bool:
    """Whether a symmetric matrix that is off by `lost` in norm is proved to have no eigenvalue below 0."""
    count, diagonal = len(matrix), np.abs(np.diag(matrix))
    gamma = (count + 1) * UNIT / (1 - (count + 1) * UNIT)
    less = gamma / (1 - gamma) * float(diagonal.sum()) + lost + 4 * UNIT * float(diagonal.max(initial=0.0))
    try:
        np.linalg.cholesky(matrix - (less * _ROUND_UP + 2.0**-600) * np.eye(count))
    except np.linalg.LinAlgError:
        return False
    return True
