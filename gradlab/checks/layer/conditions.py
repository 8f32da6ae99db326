"""When a check of the layer applies: conditions on what is claimed and on the problem."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.evaluation.claims import Claims
from gradlab.layer.bounds.probable import has_random_errors
from gradlab.layer.call import layer_claims
from gradlab.layer.problem import LayerProblem
from gradlab.problems.coefficients import denominator_of
from gradlab.problems.problem import Problem

Condition = Callable[[Claims, LayerProblem], bool]

FEW = 300  # numbers of X, W and b up to which checks that call many times are worth their time


def every(*conditions: Condition) -> Condition:
    """The condition that all of these hold, tried in their order."""
    return lambda claims, problem: all(condition(claims, problem) for condition in conditions)


def returns(*outputs: str) -> Condition:
    """Whether all of these outputs are claimed to be returned."""
    return lambda claims, problem: all(one in layer_claims(claims).places for one in outputs)


def returns_a_gradient_beside(*outputs: str) -> Condition:
    """Whether all of these are returned and one of the gradients."""
    names = ("dX", "dW", "db")
    return lambda claims, problem: (
        all(one in layer_claims(claims).places for one in outputs)
        and any(one in layer_claims(claims).places for one in names)
    )


def with_rows(claims: Claims, problem: LayerProblem) -> bool:
    return problem.n_rows > 0


def judged(claims: Claims, problem: LayerProblem) -> bool:
    return problem.is_judged and problem.n_rows > 0


def finite(claims: Claims, problem: LayerProblem) -> bool:
    return problem.is_finite and problem.n_rows > 0


def moderate(claims: Claims, problem: LayerProblem) -> bool:
    return problem.is_moderate


def small(claims: Claims, problem: LayerProblem) -> bool:
    return problem.features.size + problem.weight.size + problem.n_classes <= FEW


def divided(claims: Claims, problem: LayerProblem) -> bool:
    """A mean over nothing has no value that could have a derivative."""
    return denominator_of(frame_of(problem)) != 0


def without_options(claims: Claims, problem: LayerProblem) -> bool:
    return not problem.objective.options


def without_real_options(claims: Claims, problem: LayerProblem) -> bool:
    """The loss is sum_j t_j (lse - z_j): of others no bound on the third derivative is known."""
    return not problem.objective.real_options


def primary(claims: Claims, problem: LayerProblem) -> bool:
    """The objective that is asked of every problem: the first reduction and kind of targets, without options."""
    objective = problem.objective
    first = objective.reduction == claims.reduction[0] and objective.targets == claims.targets[0]
    return first and not objective.options


def index(claims: Claims, problem: LayerProblem) -> bool:
    return problem.objective.targets == "index"


def labels_as_integers(claims: Claims, problem: LayerProblem) -> bool:
    """Labels are handed over as integers, so that one may lie outside of the classes."""
    return problem.objective.targets == "index" and not claims.one_hot


def penalised(claims: Claims, problem: LayerProblem) -> bool:
    return problem.penalty.is_on


def takes_penalty(claims: Claims, problem: LayerProblem) -> bool:
    return "l2" in layer_claims(claims).taken


def takes_bias(claims: Claims, problem: LayerProblem) -> bool:
    return problem.bias is not None


def several_rows(claims: Claims, problem: LayerProblem) -> bool:
    return problem.n_rows > 1


def several_classes(claims: Claims, problem: LayerProblem) -> bool:
    return problem.n_classes > 1


def all_ignored(claims: Claims, problem: LayerProblem) -> bool:
    """There are rows, and every one of them is ignored."""
    return problem.n_rows > 0 and bool(frame_of(problem).ignored_rows.all())


def random_errors(claims: Claims, problem: LayerProblem) -> bool:
    return has_random_errors(problem)


def deterministic(claims: Claims, problem: LayerProblem) -> bool:
    return claims.deterministic


def frame_of(problem: LayerProblem) -> Problem:
    """The problem at logits of 0: what targets and objective alone say."""
    return problem.at_logits(np.zeros((problem.n_rows, problem.n_classes)))
