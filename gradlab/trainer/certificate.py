"""What is proved of a training: how far the weights are from exact descent, the loss, the distance to the optimum."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gradlab.layer.oracle.truth import LayerTruth, enclose_layer
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.ends import ends_of
from gradlab.trainer.call import Trained
from gradlab.trainer.curvature import Curvature, curvature_of
from gradlab.trainer.descent import Iterate, distance_to, end_of_descent
from gradlab.trainer.mistakes import Named, explain
from gradlab.trainer.problem import TrainerProblem

_ROUND_UP = 1 + 2.0**-40


@dataclass(frozen=True, eq=False)
class Certificate:
    """What is proved of weights after a training.

    at_least, at_most: their distance from exact gradient descent, in the Euclidean norm of all parameters. size: their
    own norm. probable, proved: how far sound code may be, as `descent.Iterate` has them. least_loss, most_loss: what
    the objective is between, penalty included. to_optimum: how far they are from the optimum at most, infinite where
    that is not known, without a penalty on all parameters. named: what explains a training that is not right.
    """

    problem: TrainerProblem
    curvature: Curvature
    at_least: float
    at_most: float
    size: float
    probable: float
    proved: float
    least_loss: float
    most_loss: float
    to_optimum: float
    named: tuple[Named, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether the weights may be those of sound code: no further from exact descent than is proved."""
        return self.at_least <= self.proved

    @property
    def is_likely(self) -> bool:
        """Whether they are no further than sound code is likely to be."""
        return self.at_least <= self.probable


def certify_training(problem: TrainerProblem, trained: Trained, end: Iterate | None = None) -> Certificate:
    """The certificate of the weights that a trainer returned, which must be there.

    end: exact descent after all steps, worked out here unless it is given.
    """
    end = end or end_of_descent(problem)
    parameters = trained.parameters
    at_least, at_most = distance_to(end, parameters)
    curvature = curvature_of(problem)
    truth = enclose_layer(_at(problem, trained))
    least_loss, most_loss = map(float, ends_of(truth.loss))
    named: tuple[Named, ...] = ()
    if at_least > end.probable:
        named = tuple(explain(problem, parameters, end.probable + end.radius))
    to_optimum = _gradient_norm(problem, truth) / curvature.convexity if curvature.convexity else math.inf
    size = float(np.linalg.norm(parameters))
    return Certificate(
        problem, curvature, at_least, at_most, size, end.probable, end.proved, least_loss, most_loss, to_optimum, named
    )


def _at(problem: TrainerProblem, trained: Trained) -> LayerProblem:
    """The layer's problem at the weights that came back, all in float64, exactly."""
    parameters = trained.parameters
    soft = problem.targets.ndim == 2
    wide = problem.replace(
        features=problem.features.astype(np.float64),
        targets=problem.targets.astype(np.float64) if soft else problem.targets,
        weight=parameters[: problem.n_features],
        bias=None if problem.bias is None else parameters[-1],
    )
    return wide.at(wide.weight, wide.bias)


def _gradient_norm(problem: TrainerProblem, truth: LayerTruth) -> float:
    """An upper bound of the norm of the whole gradient."""
    parts = [truth.dW, truth.db] if problem.bias is not None else [truth.dW]
    sizes = [np.maximum(*map(np.abs, ends_of(part))).ravel() for part in parts]
    return float(np.linalg.norm(np.concatenate(sizes))) * _ROUND_UP
