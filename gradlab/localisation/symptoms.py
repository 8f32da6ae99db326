"""Kinds of wrong answers, so that two mistakes at once are looked for apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradlab.problems.problem import Array


@dataclass(frozen=True)
class Symptom:
    """What alone counts as wrong: rows of a gradient, the loss, that there is no answer, or that arguments are changed.

    rows: of a gradient, and of the true one, those that count, (N,). answered: nothing is said of where no answer is.
    writing: that a call changes its arguments, whatever it answers.
    """

    said: str
    rows: Callable[[Array, Array], Array] | None = None
    in_loss: bool = False
    in_gradient: bool = True
    raising: bool = False
    answered: bool = False
    writing: bool = False


def _is_nan(gradient: Array, true: Array) -> Array:
    return np.asarray(np.isnan(gradient).any(axis=1))


def _is_zero(gradient: Array, true: Array) -> Array:
    return np.asarray(~gradient.any(axis=1))


def _is_negated(gradient: Array, true: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray((gradient * true).sum(axis=1) < 0)


def _is_other(one: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda gradient, true: ~one(gradient, true)


RAISING = Symptom("there is no answer", in_gradient=False, raising=True)
WRITING = Symptom("the arguments are changed", in_gradient=False, raising=True, writing=True)
ANSWERED = Symptom("the answer is wrong", in_loss=True, answered=True)
GRADIENT_AND_LOSS = (
    Symptom("the gradient is wrong"),
    Symptom("the loss is wrong", in_loss=True, in_gradient=False),
)
SPLITS = (
    (RAISING, ANSWERED),
    GRADIENT_AND_LOSS,
    (Symptom("the gradient is NaN", _is_nan), Symptom("it is not", _is_other(_is_nan))),
    (Symptom("the gradient is 0", _is_zero), Symptom("it is not", _is_other(_is_zero))),
    (Symptom("the gradient has the wrong sign", _is_negated), Symptom("it has not", _is_other(_is_negated))),
)
