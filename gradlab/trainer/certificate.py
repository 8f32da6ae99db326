"""What is proved of a training: how far the weights are from exact descent, the loss, the distance to the optimum."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gradlab.layer.oracle.truth import enclose_layer
from gradlab.oracle.ends import ends_of
from gradlab.problems.problem import Array
from gradlab.trainer.call import Trained
from gradlab.trainer.curvature import Curvature, curvature_of
from gradlab.trainer.descent import distance_to, end_of_descent
from gradlab.trainer.explaining import Wrong, named_mistake, unsettled_mistake
from gradlab.trainer.gradient import UPWARDS
from gradlab.trainer.mistakes import Named
from gradlab.trainer.optimum import gradient_norm, layer_at, optimum_of
from gradlab.trainer.problem import TrainerProblem


@dataclass(frozen=True)
class Point:
    """What is proved of parameters, wherever they come from.

    least_loss, most_loss: what the objective is between, penalty included. gradient: its gradient's norm at most.
    from_optimum, to_optimum: how far the nearest optimum is, at least and at most; infinite where that is not known.
    above_optimum: by how much the objective is above its least value, at most.
    """

    least_loss: float
    most_loss: float
    gradient: float
    from_optimum: float
    to_optimum: float
    above_optimum: float = math.inf


@dataclass(frozen=True, eq=False)
class Certificate:
    """What is proved of weights after a training.

    at_least, at_most: their distance from exact gradient descent, in the Euclidean norm of all parameters. size: their
    own norm. probable, proved: how far sound code may be, as `descent.Iterate` has them. point: what is proved of them
    wherever they come from. named: what explains a training that is not right. suspects: what was tried. unsettled:
    what may explain it, as roundings grow with it so far that nothing more can be told.
    """

    problem: TrainerProblem
    curvature: Curvature
    at_least: float
    at_most: float
    size: float
    probable: float
    proved: float
    point: Point
    named: tuple[Named, ...] = ()
    suspects: tuple[str, ...] = ()
    unsettled: tuple[Named, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether the weights may be those of sound code: no further from exact descent than is proved."""
        return self.at_least <= self.proved

    @property
    def is_likely(self) -> bool:
        """Whether they are no further than sound code is likely to be."""
        return self.at_least <= self.probable


def certify_training(problem: TrainerProblem, trained: Trained, suspects: Iterable[str] = ()) -> Certificate:
    """The certificate of the weights that a trainer returned, which must be there.

    suspects: the names of the mistakes that are tried where the weights are not right.
    """
    end = end_of_descent(problem)
    parameters = trained.parameters
    at_least, at_most = distance_to(end, parameters)
    named: tuple[Named, ...] = ()
    unsettled: tuple[Named, ...] = ()
    suspects = tuple(suspects)
    if at_least > end.probable:
        training = Wrong(problem, parameters, end.parameters, end.probable + end.radius)
        named = tuple(found for name in suspects if (found := named_mistake(name, training)))
        if not named:
            unsettled = tuple(found for name in suspects if (found := unsettled_mistake(name, training)))
    return Certificate(
        problem,
        curvature_of(problem),
        at_least,
        at_most,
        float(np.linalg.norm(parameters)),
        end.probable,
        end.proved,
        certify_point(problem, parameters),
        named,
        suspects,
        unsettled,
    )


def certify_point(problem: TrainerProblem, parameters: Array) -> Point:
    """What is proved of parameters (n_parameters, n_classes), wherever they come from."""
    truth = enclose_layer(layer_at(problem, parameters))
    least, most = map(float, ends_of(truth.loss))
    gradient = gradient_norm(problem, truth)
    optimum = optimum_of(problem, parameters)
    if optimum is not None:
        return Point(least, most, gradient, *optimum.distance_to(parameters), most - optimum.least)
    convexity = float(problem.slopes.min())
    return Point(least, most, gradient, 0.0, gradient / convexity * UPWARDS if convexity else math.inf)
