"""Mistakes that are found by experiments with a trainer are named, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.problems.problem import Array
from gradlab.trainer.call import trainer_of
from gradlab.trainer.checks import examine_trainer
from gradlab.trainer.findings import Examination
from gradlab.trainer.page import examination_lines
from gradlab.trainer.precision import lower_precision
from gradlab.trainer.recognition import recognise_trainer, small_problem
from gradlab.trainer.row_errors import explain_row_errors
from gradlab.trainer.seeds import explain_by_the_seed
from gradlab.trainer.step_lengths import explain_step_lengths
from tests.trainer import other_strangers
from tests.trainer.test_experiments import rounding, slightly_off
from tests.trainer.trainers import ascent, hidden_decay, momentum_09, plain, with_l2_and_batches

QUICK = ("classes_count_otherwise", "bias_steps_of_other_lengths", "softmax_twice", "gradients_of_the_epoch_s_start")


def named_in(examination: Examination) -> set[str]:
    return {name for some in examination.named.values() for name in some}


@pytest.mark.parametrize(
    "name", [*QUICK, *(pytest.param(one, marks=pytest.mark.more) for one in other_strangers.NAMED if one not in QUICK)]
)
def test_it_is_named_and_nothing_else_is(name: str) -> None:
    examination = examine_trainer(trainer_of(name, other_strangers.NAMED[name]))
    assert named_in(examination) == {name}


@pytest.mark.parametrize("function", [plain, ascent, slightly_off, momentum_09, hidden_decay, rounding("float16")])
def test_nothing_is_said_of_rows_whose_errors_are_right_or_all_alike(function: Callable[..., Any]) -> None:
    trainer = trainer_of("train", function)
    assert explain_row_errors(trainer, "float32") is None


@pytest.mark.parametrize("function", [plain, momentum_09, slightly_off])
def test_nothing_is_said_of_lengths_where_steps_are_right_or_go_elsewhere(function: Callable[..., Any]) -> None:
    trainer = trainer_of("train", function)
    assert explain_step_lengths(trainer, small_problem(trainer, "float32", 0)) is None


def test_nothing_is_said_of_the_seed_where_it_changes_nothing() -> None:
    def seeded(X: Array, y: Array, W: Array, b: Array, lr: float, steps: int, seed: int) -> object:
        return plain(X, y, W, b, lr, steps)

    trainer = trainer_of("seeded", seeded)
    assert explain_by_the_seed(trainer, small_problem(trainer, "float32", 0).replace(n_steps=2)) is None


@pytest.mark.parametrize("function", [other_strangers.with_noise_of_numpy, other_strangers.with_noise_of_python])
def test_noise_of_the_process_s_own_generators_is_said(function: Callable[..., Any]) -> None:
    trainer = trainer_of("train", function)
    found = explain_by_the_seed(trainer, small_problem(trainer, "float32", 0).replace(n_steps=2))
    assert found is not None
    assert found.name == "depends_on_global_generators"


def test_the_lengths_of_steps_are_said() -> None:
    """Of a rate that is halved after every third step."""
    lines = list(examination_lines("", examine_trainer(trainer_of("halving", other_strangers.halving))))
    assert any("are 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25 times as long" in line for line in lines)


def test_a_bias_in_the_last_row_is_recognised_of_a_wrong_trainer() -> None:
    """The first form that returned weights was taken, in which the mistake could not be found."""
    trainer, _ = recognise_trainer(trainer_of("clipped", other_strangers.clipped_entries), "float32")
    assert trainer.form.bias_row == "last"


def test_losses_that_come_late_after_one_of_no_iterate_are_said_to() -> None:
    def late(X: Array, y: Array, W: Array, b: Array, lr: float, steps: int) -> object:
        losses, last = [], float(np.log(3))
        for _ in range(steps):
            losses.append(last)
            z = X @ W + b
            last = float((np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).mean())
            W, b = plain(X, y, W, b, lr, 1)
        return W, b, losses

    seen = {one.seen for one in examine_trainer(trainer_of("late", late)).findings}
    assert seen == {"the losses come one step late, and the first, 1.098612, is of no iterate"}


def test_the_form_of_the_penalty_is_said() -> None:
    lines = list(examination_lines("", examine_trainer(trainer_of("train", with_l2_and_batches))))
    assert "penalty: l2 |W|^2, without the bias" in lines


def test_a_mistake_that_jumps_now_and_then_is_none_of_rounding() -> None:
    """Rows that are left out where p is high, or not: where data move a little, one may change sides."""
    function = other_strangers.NAMED["confident_rows_left_out"]
    trainer = trainer_of("train", function)
    for seed in range(20):
        assert lower_precision(trainer, small_problem(trainer, "float32", seed)) is None
