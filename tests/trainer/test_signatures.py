"""Signatures of trainers in the words of others, and the forms in which they take a start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.problems.problem import Array
from gradlab.trainer.call import trainer_of
from gradlab.trainer.checks import examine_trainer
from gradlab.trainer.names import taken_by
from gradlab.trainer.problem import TrainerProblem
from gradlab.trainer.recognition import recognise_trainer
from gradlab.trainer.run import in_whole_epochs


def probabilities(X: Array, W: Array, b: Any = 0.0) -> Array:
    z = X @ W + b
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def column_of_ones_last(init: Array, design: Array, gold: Array, *, passes: int, eta0: float) -> Array:
    """W (K, D + 1), a column of which is the bias."""
    theta, ones = init.copy(), np.concatenate([design, np.ones((len(design), 1), design.dtype)], axis=1)
    for _ in range(passes):
        error = probabilities(ones, theta.T) - np.eye(len(theta), dtype=design.dtype)[gold]
        theta -= design.dtype.type(eta0) * (error.T @ ones) / len(gold)
    return theta


def row_of_ones_first(theta0: Array, X: Array, y: Array, rate: float, max_iters: int) -> Array:
    theta, ones = theta0.copy(), np.concatenate([np.ones((len(X), 1), X.dtype), X], axis=1)
    for _ in range(max_iters):
        error = probabilities(ones, theta) - np.eye(theta.shape[1], dtype=X.dtype)[y]
        theta -= X.dtype.type(rate) * (ones.T @ error) / len(y)
    return theta


def a_dictionary(params: dict[str, Array], X: Array, t: Array, eta: float, n_step: int, verbose: bool) -> Any:
    W, b = params["W"], params["b"]
    for _ in range(n_step):
        error = (probabilities(X, W, b) - np.eye(len(b), dtype=X.dtype)[t]) / len(t)
        W, b = W - X.dtype.type(eta) * X.T @ error, b - X.dtype.type(eta) * error.sum(axis=0)
        if verbose:
            raise AssertionError("it is told to be silent")
    return {"W": W, "b": b}


def a_list(params: list[Array], X: Array, t: Array, eta: float, total_steps: int, log_every: int) -> Any:
    for step in range(total_steps):
        error = (probabilities(X, *params) - np.eye(len(params[1]), dtype=X.dtype)[t]) / len(t)
        params = [params[0] - X.dtype.type(eta) * X.T @ error, params[1] - X.dtype.type(eta) * error.sum(axis=0)]
        if step and step % log_every == 0:
            raise AssertionError("it is told to be silent")
    return tuple(params)


def draws_from_a_generator(
    W: Array, b: Array, X: Array, y: Array, eta: float, n_step: int, bsz: int, rng: Any
) -> tuple[Array, Array]:
    for _ in range(n_step):
        rows = rng.integers(0, len(X), bsz)
        error = (probabilities(X[rows], W, b) - np.eye(len(b), dtype=X.dtype)[y[rows]]) / bsz
        W, b = W - X.dtype.type(eta) * X[rows].T @ error, b - X.dtype.type(eta) * error.sum(axis=0)
    return W, b


SOUND = (column_of_ones_last, row_of_ones_first, a_dictionary, a_list, draws_from_a_generator)


@pytest.mark.parametrize("function", SOUND, ids=lambda one: one.__name__)
def test_a_sound_trainer_with_another_start_passes(function: Callable[..., Any]) -> None:
    assert examine_trainer(trainer_of(function.__name__, function)).findings == ()


def test_the_place_of_the_bias_is_recognised_though_a_mistake_is_made() -> None:
    def twice_as_far(theta0: Array, X: Array, y: Array, rate: float, max_iters: int) -> Array:
        return column_of_ones_last(theta0.T, X, y, passes=max_iters, eta0=-rate).T

    trainer, _ = recognise_trainer(trainer_of("twice_as_far", twice_as_far), "float32")
    assert trainer.form.bias_row == "last"
    assert set(examine_trainer(trainer).named["descends_as_defined"]) == {"ascent"}


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        ("x t W b lr n_epoch batch_size", "X targets W b learning_rate n_epochs batch_size"),
        ("X y W b lr t", "X targets W b learning_rate n_steps"),
        ("X T W b eta num_steps", "X targets W b learning_rate n_steps"),
        ("X y θ η λ maxiter", "X targets W learning_rate l2 n_steps"),
        ("model X y lr num_epoch callback print_every", "W X targets learning_rate n_epochs callback every"),
    ],
)
def test_names_in_use_are_known(names: str, roles: str) -> None:
    made: dict[str, Any] = {}
    exec(f"def train({', '.join(names.split())}): ...", made)  # as many signatures as there are rows
    assert dict(taken_by(made["train"])) == dict(zip(names.split(), roles.split(), strict=True))


def test_a_trainer_that_counts_epochs_is_asked_for_whole_ones() -> None:
    def by_epochs(X: Array, y: Array, W: Array, b: Array, lr: float, epochs: int, batch_size: int) -> None: ...

    def by_steps(X: Array, y: Array, W: Array, b: Array, lr: float, steps: int, batch_size: int) -> None: ...

    start = np.zeros((2, 3))
    problem = TrainerProblem(np.ones((10, 2)), np.zeros(10, int), start, start[0], 0.1, 10, batch_size=4)
    assert in_whole_epochs(trainer_of("by_epochs", by_epochs), problem).n_steps == 12
    assert in_whole_epochs(trainer_of("by_steps", by_steps), problem).n_steps == 10
