"""The step from which a trainer changes nothing while exact descent goes on, and why."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.cli import status_of
from gradlab.problems.problem import Array
from gradlab.trainer import stalling
from gradlab.trainer.call import train, trainer_of
from gradlab.trainer.checks import examine_trainer
from gradlab.trainer.problem import TrainerProblem
from gradlab.trainer.stalling import Stall, Stalls, find_stall, find_stalls, separable_problem
from tests.trainer.trainers import Regression, one_by_one, plain, with_l2_and_batches

DTYPES = ("float32", "float64")


def accurate(X: Array, y: Array, W: Array, b: Array, lr: float, steps: int) -> Any:
    """A label's entry of the gradient is the sum of the others': it is never 0 where these are not."""
    rows, rate = np.arange(len(y)), X.dtype.type(lr)
    for _ in range(steps):
        z = X @ W + b
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[rows, y] = 0
        p[rows, y] = -p.sum(axis=1)
        p /= X.dtype.type(len(y))
        W, b = W - rate * (X.T @ p), b - rate * p.sum(axis=0)
    return W, b


def stops(X: Array, y: Array, W: Array, b: Array, lr: float, steps: int) -> Any:
    return plain(X, y, W, b, lr, min(steps, 9))


def stalls_of(function: Any, dtype: str) -> Stalls:
    found = find_stalls(trainer_of(function.__name__, function), dtype)
    assert found is not None
    return found


def stall_on(function: Any, problem: TrainerProblem) -> Stall | None:
    trainer = trainer_of(function.__name__, function)
    return find_stall(trainer, problem, train(trainer, problem))


def parted(n_steps: int, learning_rate: float) -> TrainerProblem:
    """Three rows that planes part, 8 from the origin, from zeros."""
    unit = 8 * np.eye(3, dtype=np.float32)
    start = np.zeros((3, 3), np.float32)
    return TrainerProblem(unit, np.arange(3), start, np.zeros(3, np.float32), learning_rate, n_steps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [plain, one_by_one])
def test_a_textbook_gradient_leaves_the_labels_weights_where_p_rounds_to_1(function: Any, dtype: str) -> None:
    found = stalls_of(function, dtype)
    assert found.labels is not None
    assert found.labels.reason == "saturation"
    assert found.labels.spacings > 10  # so exact descent moves on by several numbers of the format


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_accurate_gradient_goes_on_until_its_steps_round_away(dtype: str) -> None:
    found, textbook = stalls_of(accurate, dtype), stalls_of(plain, dtype)
    assert found.labels is not None
    assert found.weights is not None
    assert textbook.labels is not None
    assert found.labels.reason == found.weights.reason == "spacing"
    assert found.labels.step > 10 * textbook.labels.step


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [plain, accurate])
def test_the_step_is_the_first_that_changes_nothing(function: Any, dtype: str) -> None:
    """Step by step, without looking for it by halves."""
    trainer = trainer_of(function.__name__, function)
    problem = separable_problem(trainer, dtype)
    parameters = [train(trainer, problem.replace(n_steps=n)).parameters[:3] for n in range(60)]
    assert all((later != now).any() for now, later in pairwise(parameters))
    of_labels = [np.diagonal(later - now).any() for now, later in pairwise(parameters)]
    first = stalls_of(function, dtype).labels
    assert first is not None
    assert of_labels[: min(first.step - 1, 59)] == [True] * min(first.step - 1, 59)
    assert not any(of_labels[first.step - 1 :])


def test_both_formats_stall_at_nearly_the_same_step() -> None:
    narrow, wide = stalls_of(accurate, "float32").weights, stalls_of(accurate, "float64").weights
    assert narrow is not None
    assert wide is not None
    assert abs(narrow.step - wide.step) <= 2


def test_a_trainer_that_stays_without_a_reason_is_said_to() -> None:
    found = stalls_of(stops, "float32")
    assert found.weights is not None
    assert (found.weights.step, found.weights.reason) == (10, "unknown")


def test_a_stall_is_no_finding() -> None:
    examination = examine_trainer(trainer_of("plain", plain))
    assert examination.findings == ()
    assert examination.stalls is not None


def test_one_that_makes_its_own_start_is_not_asked() -> None:
    def made(X: Array, y: Array, lr: float, steps: int) -> Any:
        return vars(Regression(lr, steps).fit(X, y))

    assert find_stalls(trainer_of("made", made), "float32") is None


def test_a_training_on_data_stalls_where_a_step_rounds_away() -> None:
    """After one step of 2 the margin is 43, and the next is of some e^-43."""
    found = stall_on(plain, parted(50, 2.0))
    assert found is not None
    assert (found.step, found.reason) == (2, "spacing")
    assert 0 < found.length < 1e-15


def test_a_training_whose_last_step_moves_something_does_not_stall() -> None:
    assert stall_on(plain, parted(50, 0.1)) is None
    assert stall_on(plain, parted(0, 0.1)) is None


def test_batches_do_not_stall() -> None:
    assert stall_on(with_l2_and_batches, parted(51, 2.0).replace(batch_size=1)) is None


def test_a_descent_that_has_come_to_the_optimum_does_not_stall() -> None:
    """Of equal rows with each label once, the gradient is exactly 0 at zeros."""
    problem = parted(5, 1.0)
    assert stall_on(plain, problem.replace(features=np.ones((3, 3), np.float32))) is None


def test_without_time_the_step_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalling, "SECONDS", 0.0)
    found = stall_on(plain, parted(50, 2.0))
    assert found is not None
    assert (found.after, found.step) == (0, 50)


def test_the_certificate_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    problem = parted(1, 1.0)
    np.savez(tmp_path / "own.npz", X=problem.features, y=problem.targets)
    monkeypatch.chdir(tmp_path)
    target = f"trainer:{Path(__file__).with_name('trainers.py')}:plain"
    arguments = ["certify", target, "--data", "own.npz", "--rate", "2", "--steps", "20", "--output", "own.json"]
    status_of(arguments)
    said = capsys.readouterr().out
    assert "float32 stalls, where a plane parts the classes: from step " in said
    assert "stalls: from step 2 on nothing moves: steps round away" in said
    stalls = json.loads(Path("own.json").read_text())["stalls"]
    assert stalls["data"]["step"] == 2
    assert set(stalls["separable"]["labels"]) == {one.name for one in dataclasses.fields(Stall)}
    assert status_of(["certify", "--verify", "own.json"]) == 0
