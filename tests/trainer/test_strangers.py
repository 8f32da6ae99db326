"""Trainers in the styles of strangers: sound ones pass in their own form, and the mistake of the others is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.cli import status_of
from gradlab.targets.trainers import load_trainer
from gradlab.trainer.call import train, with_order_of, with_start_of
from gradlab.trainer.checks import examine_trainer
from gradlab.trainer.descent import descend
from gradlab.trainer.explaining import Wrong, explain, named_mistake
from gradlab.trainer.findings import Examination
from gradlab.trainer.mistakes import MISTAKES
from gradlab.trainer.page import examination_lines
from gradlab.trainer.problem import TrainerProblem
from gradlab.trainer.recognition import in_batches, recognise_trainer, small_problem
from gradlab.trainer.wrong_descent import descend_with
from tests.trainer import strangers


def examined(made: Any, dtype: str = "float32") -> Examination:
    return examine_trainer(load_trainer(f"trainer:{strangers.__file__}:{made.__name__}"), dtype)


@pytest.mark.parametrize("made", strangers.SOUND, ids=lambda one: one.__name__)
def test_sound_strangers_pass(made: Any) -> None:
    assert examined(made).findings == ()


@pytest.mark.more
@pytest.mark.parametrize("made", strangers.SOUND, ids=lambda one: one.__name__)
def test_sound_strangers_pass_in_float64(made: Any) -> None:
    assert examined(made, "float64").findings == ()


QUICK = ("divided_by_the_classes", "averaged_gradients_0.8", "penalty_multiplied_by_-1", "sigmoid_for_softmax")


@pytest.mark.parametrize(
    "name", [*QUICK, *(pytest.param(one, marks=pytest.mark.more) for one in strangers.NAMED if one not in QUICK)]
)
def test_a_stranger_s_mistake_is_named(name: str) -> None:
    lines = list(examination_lines("", examined(strangers.NAMED[name])))
    assert any(line.startswith(f"looks like {name}: ") for line in lines), lines


def test_losses_that_come_late_are_found() -> None:
    (said,) = {one.seen for one in examined(strangers.late_history).findings}
    assert said == "the losses come one step late"


@pytest.mark.parametrize(("made", "strength"), [(strangers.decay_in_the_loss, 0.0005), (strangers.from_ones, 0.01)])
def test_losses_with_a_penalty_that_no_step_descends_are_described(made: Any, strength: float) -> None:
    (said,) = {one.seen for one in examined(made).findings}
    assert said == f"the losses have a penalty of {strength:.3g} |W|^2 that the steps do not descend"


def test_losses_with_another_share_of_the_penalty_are_found() -> None:
    """They were of no iterates in order, which says nothing of the penalty."""
    (said,) = {one.seen for one in examined(strangers.twice_the_penalty_reported).findings if "loss" in one.seen}
    assert said == "the losses have twice the penalty that the steps descend"


def test_a_mistake_that_is_suspected_is_named_where_it_predicts_the_weights() -> None:
    """Also where the weights are near to the right ones, as after many steps: more than it is nothing then."""
    trainer = load_trainer(f"trainer:{strangers.__file__}:iterates")
    problem = small_problem(trainer, "float64", 3).replace(n_steps=3)
    wrong = descend_with(problem, MISTAKES["bias_never_updated"])
    *_, end = descend(problem)
    apart = float(np.linalg.norm(wrong - end.parameters))
    training = Wrong(problem, wrong, end.parameters, apart / 2)
    found = named_mistake("bias_never_updated", training)
    assert found is not None
    assert explain([training]).get("bias_never_updated") is None


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (
            strangers.Shuffling,
            "all rows shuffled again for each epoch, by numpy.random.RandomState(0), after the start",
        ),
        (strangers.from_the_global_generator, "a permutation of all rows for each epoch, without the rows at its end"),
    ],
)
def test_the_way_to_an_order_is_recognised(made: Any, words: str) -> None:
    trainer, _ = recognise_trainer(load_trainer(f"trainer:{strangers.__file__}:{made.__name__}"), "float32")
    assert trainer.way is not None
    assert trainer.way.sentence.startswith(words)


def test_an_order_that_is_reported_is_that_of_the_problem() -> None:
    trainer = load_trainer(f"trainer:{strangers.__file__}:says_its_order")
    problem = in_batches(with_start_of(trainer, small_problem(trainer, "float64", 0)))
    trained = train(trainer, problem)
    ordered = with_order_of(trainer, problem, trained)
    assert ordered.turns is not None
    assert [len(rows) for rows in ordered.turns] == [5] * 9
    assert all((rows == own).all() for rows, own in zip(ordered.turns, trained.order, strict=True))


def test_square_weights_come_back_as_on_the_small_problem() -> None:
    """Of as many features as classes: which way round W is, its shape does not say."""
    generator = np.random.default_rng(3)
    trainer, _ = recognise_trainer(load_trainer(f"trainer:{strangers.__file__}:turned"), "float64")
    start = generator.normal(size=(3, 3))
    problem = TrainerProblem(generator.normal(size=(9, 3)), generator.integers(0, 3, 9), start, np.zeros(3), 0.1, 0)
    assert (train(trainer, problem).parameters == problem.start64).all()


def test_a_solver_is_held_to_the_optimum() -> None:
    assert examined(strangers.Solver).findings == ()


def test_a_solver_of_another_objective_is_found() -> None:
    assert {one.fact for one in examined(strangers.SolverOfTheSum).findings} == {"finds_the_optimum"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with some data, as the current one."""
    generator = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", X=generator.normal(size=(30, 4)), y=generator.integers(0, 3, 30))
    np.savez(tmp_path / "two.npz", X=generator.normal(size=(30, 4)), y=generator.integers(0, 2, 30))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("made", ["Shuffling", "says_its_order", "from_the_global_generator"])
def test_a_certificate_in_batches_holds(made: str, capsys: pytest.CaptureFixture[str]) -> None:
    target = f"trainer:{strangers.__file__}:{made}"
    arguments = ["certify", target, "--data", "own.npz", "--steps", "8", "--batch-size", "8", "--output", "own.json"]
    assert status_of(arguments) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "met"
    assert status_of(["certify", "--verify", "own.json"]) == 0


@pytest.mark.usefixtures("folder")
def test_a_certificate_of_a_solution_holds(capsys: pytest.CaptureFixture[str]) -> None:
    target = f"trainer:{strangers.__file__}:Solver"
    assert status_of(["certify", target, "--data", "own.npz", "--output", "own.json"]) == 0
    assert "optimum: between " in capsys.readouterr().out
    assert status_of(["certify", "--verify", "own.json"]) == 0


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("data", ["own.npz", "two.npz"])
def test_scikit_learn_s_optimum_is_near(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    assert status_of(["certify", "trainer:sklearn.linear_model:LogisticRegression", "--data", data]) == 0
    assert "6 of 6 small trainings are right" in capsys.readouterr().out


def test_labels_that_are_shuffled_by_themselves_are_a_finding() -> None:
    found = examined(strangers.labels_alone_are_shuffled)
    assert "takes_its_batches_in_a_known_order" in {one.fact for one in found.findings}
    assert list(examination_lines("", found))


def test_a_number_of_steps_that_counts_epochs_is_recognised() -> None:
    trainer, _ = recognise_trainer(load_trainer(f"trainer:{strangers.__file__}:MaxIterOfEpochs"), "float32")
    assert trainer.taken["max_iter"] == "n_epochs"
