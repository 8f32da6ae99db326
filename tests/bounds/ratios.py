"""How much of its bound the error of an answer uses up, for several answers to one problem at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradlab.bounds import first_order, loss_bound
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.problem import Array, Problem

ULPS = (0, 3, -3)  # on top of the rounding: 3.5 ULP in all, where BETA allows 4


def worst_ratios(
    problem: Problem, answers: list[tuple[Array, Array]], bounds: tuple[Array, Array]
) -> tuple[Array, Array]:
    """The largest error over its bound of each answer's loss, and of each answer's gradient."""
    truth = enclose(problem)
    losses, gradients = (np.stack(one) for one in zip(*answers, strict=True))
    with np.errstate(invalid="ignore"):
        of_loss = absolute_error(losses, truth.loss) / bounds[0]
        of_gradient = absolute_error(gradients, truth.gradient) / bounds[1]
    of_loss = np.where((losses == np.inf) & first_order.sum_overflows(problem), 0.0, of_loss)
    return of_loss.reshape(len(answers), -1).max(axis=1), of_gradient.reshape(len(answers), -1).max(axis=1)


def exceeding(
    problem: Problem,
    forms: Mapping[str, Any],
    bounds: tuple[Array, Array],
    answer: Callable[[Problem, Any, int], tuple[Array, Array]],
) -> list[tuple[str, int, float]]:
    """The forms that exceed these bounds: the name of each, its error of exp and log in ULP, and the ratio, or NaN."""
    tried = [(name, ulps) for name in forms for ulps in ULPS]
    answers = [answer(problem, forms[name], ulps) for name, ulps in tried]
    ratios = np.maximum(*worst_ratios(problem, answers, bounds)).tolist()
    return [(*one, ratio) for one, ratio in zip(tried, ratios, strict=True) if not ratio <= 1]


def forward_bounds(problem: Problem) -> tuple[Array, Array]:
    """Of the loss and the gradient of a standard algorithm."""
    loss = first_order.reduced_loss(problem, first_order.forward_losses(problem))
    return loss[0], first_order.forward_gradient(problem)[0]


def any_form_bounds(problem: Problem) -> tuple[Array, Array]:
    """Of the loss and the gradient of any form."""
    return loss_bound(problem)[0], first_order.gradient(problem)[0]
