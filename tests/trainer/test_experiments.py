"""What is found out of a trainer by experiment: the rule by which it stops, and that it computes in fewer digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.problems.problem import Array
from gradlab.trainer.call import trainer_of
from gradlab.trainer.checks import examine_trainer
from gradlab.trainer.precision import lower_precision
from gradlab.trainer.problem import TrainerProblem
from gradlab.trainer.recognition import small_problem
from gradlab.trainer.stopping import stopping_rule
from tests.trainer.trainers import gradients, plain

Start = tuple[Array, Array]


def stopping_where(
    is_over: Callable[[list[float], Array], bool], later: int = 0
) -> Callable[[Array, Array, Array, Array, float, int], Start]:
    """A trainer that goes on for so many steps after it is over: losses so far, and the whole gradient."""

    def train(X: Array, y: Array, W: Array, b: Array, lr: float, steps: int) -> Start:
        losses: list[float] = []
        left = None
        for _ in range(steps):
            z = X @ W + b
            losses.append(float((np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).mean()))
            dW, db = gradients(X, y, W, b)
            if left is None and is_over(losses, np.concatenate([dW, db[None]])):
                left = later
            if left == 0:
                break
            left = None if left is None else left - 1
            W, b = W - X.dtype.type(lr) * dW, b - X.dtype.type(lr) * db
        return W, b

    return train


RULES: dict[str, tuple[Callable[[list[float], Array], bool], int]] = {
    "where the gradient's norm is below 0.02": (lambda losses, gradient: float(np.linalg.norm(gradient)) < 0.02, 0),
    "where the loss falls by less than 1e-05 in a step, and 7 steps after that": (
        lambda losses, gradient: len(losses) > 1 and losses[-2] - losses[-1] < 1e-5,
        7,
    ),
    "where no entry of the gradient is above 0.0005": (lambda losses, gradient: bool(np.abs(gradient).max() < 5e-4), 0),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_by_which_a_trainer_stops_is_found(rule: str) -> None:
    found = stopping_rule(trainer_of("train", stopping_where(*RULES[rule])), "float32")
    assert found.sentence == f"it stops, though that was not asked for, {rule}"


def test_a_trainer_that_stops_early_has_that_one_finding() -> None:
    examination = examine_trainer(
        trainer_of("train", stopping_where(*RULES["where the gradient's norm is below 0.02"]))
    )
    assert [one.fact for one in examination.findings] == ["goes_on_to_the_end"]
    assert set(examination.named["goes_on_to_the_end"]) == {"stops_early"}


def test_a_limit_of_the_number_of_steps_is_found() -> None:
    def limited(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
        return plain(X, y, W0, b0, lr, min(steps, 40))

    found = stopping_rule(trainer_of("limited", limited), "float32")
    assert found.sentence == "it never takes more than 40 steps"


def test_a_rule_that_is_not_known_is_described() -> None:
    def seven_less(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
        return plain(X, y, W0, b0, lr, min(steps, 20 + int(50 * np.sin(300 * lr) ** 2)))

    assert "by a rule that is not known" in stopping_rule(trainer_of("seven_less", seven_less), "float32").sentence


def warming_up(X: Array, y: Array, W: Array, b: Array, lr: float, steps: int) -> Start:
    for step in range(steps):
        dW, db = gradients(X, y, W, b)
        rate = X.dtype.type(lr * min(step / 4, 1))
        W, b = W - rate * dW, b - rate * db
    return W, b


def test_a_rate_that_warms_up_is_named() -> None:
    named = examine_trainer(trainer_of("warming_up", warming_up)).named
    assert set(named["descends_as_defined"]) == {"rate_warms_up_from_0_over_4"}


def rounding(dtype: Any) -> Callable[[Array, Array, Array, Array, float, int], Start]:
    """A trainer whose gradient is that of weights, and of features, that are rounded."""

    def train(X: Array, y: Array, W: Array, b: Array, lr: float, steps: int) -> Start:
        for _ in range(steps):
            dW, db = gradients(X.astype(dtype).astype(X.dtype), y, W.astype(dtype).astype(X.dtype), b)
            W, b = W - X.dtype.type(lr) * dW, b - X.dtype.type(lr) * db
        return W, b

    return train


@pytest.mark.parametrize(("narrower", "dtype"), [("float16", "float32"), ("float32", "float64")])
def test_fewer_digits_inside_are_named(narrower: str, dtype: str) -> None:
    examination = examine_trainer(trainer_of("train", rounding(narrower)), dtype)
    assert set(examination.named["descends_as_defined"]) == {"lower_precision"}


def slightly_off(X: Array, y: Array, W: Array, b: Array, lr: float, steps: int) -> Start:
    for _ in range(steps):
        dW, db = gradients(X, y, W, b)
        W, b = W - X.dtype.type(lr) * (dW + X.dtype.type(1e-3) * np.sin(W)), b - X.dtype.type(lr) * db
    return W, b


def one_step(function: Callable[..., Any]) -> TrainerProblem:
    return small_problem(trainer_of("train", function), "float32", 0).replace(n_steps=1)


def test_a_small_error_of_the_mathematics_is_none_of_rounding() -> None:
    assert lower_precision(trainer_of("train", rounding("float16")), one_step(rounding("float16"))) is not None
    assert lower_precision(trainer_of("train", slightly_off), one_step(slightly_off)) is None


def test_sound_code_is_not_said_to_compute_in_fewer_digits() -> None:
    assert lower_precision(trainer_of("train", plain), one_step(plain)) is None
