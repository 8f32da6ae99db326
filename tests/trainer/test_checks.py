"""Small trainings find every mistake, and name it where it is a known one; sound trainers pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.layer.problem import Penalty
from gradlab.targets.importing import TargetError
from gradlab.targets.trainers import load_trainer
from gradlab.trainer.call import Trainer, train, trainer_of
from gradlab.trainer.certificate import certify_training
from gradlab.trainer.checks import examine_trainer
from gradlab.trainer.data import Data, DataError, load_data, standardised
from gradlab.trainer.findings import Examination
from gradlab.trainer.names import UnclearTrainerError, taken_by
from gradlab.trainer.page import certificate_lines, closing_line, examination_lines
from gradlab.trainer.run import Settings, problem_on
from tests.trainer import trainers


def trainer(function: Callable[..., Any]) -> Trainer:
    return trainer_of(function.__name__, function)


def examined(function: Callable[..., Any], dtype: str = "float32") -> Examination:
    return examine_trainer(trainer(function), dtype)


def data(seed: int = 0) -> Data:
    generator = np.random.default_rng(seed)
    return Data("random", generator.normal(size=(40, 5)), generator.integers(0, 3, 40))


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.more)])
@pytest.mark.parametrize("function", trainers.SOUND, ids=lambda one: one.__name__)
def test_sound_trainers_pass(function: Callable[..., Any], dtype: str) -> None:
    assert examined(function, dtype).findings == ()


@pytest.mark.parametrize("name", trainers.NAMED)
def test_a_known_mistake_is_found_and_named(name: str) -> None:
    found = examined(trainers.NAMED[name])
    named = next(line for line in examination_lines("", found) if line.startswith("looks like"))
    assert named.startswith(f"looks like {name}: ")


@pytest.mark.parametrize(
    ("function", "fact"),
    [
        (trainers.writes_into_the_start, "leaves_its_inputs_alone"),
        (trainers.in_another_order_each_time, "trains_the_same_twice"),
        (trainers.raises, "returns_weights"),
        (trainers.labels_in_reverse, "descends_as_defined"),
    ],
)
def test_each_fact_is_checked(function: Callable[..., Any], fact: str) -> None:
    assert fact in {one.fact for one in examined(function).findings}


def test_an_unknown_mistake_is_given_no_name() -> None:
    assert examined(trainers.pulled_by_a_sine).named == {"descends_as_defined": {}}


def test_the_form_of_the_penalty_is_recognised() -> None:
    assert examined(trainers.with_l2_and_batches).penalty == Penalty(0.05, halved=False)


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_a_certificate_holds_for_a_sound_trainer(l2: float) -> None:
    problem = problem_on(data(), Settings(n_steps=60, l2=l2))
    problem = problem.replace(penalty=Penalty(l2, halved=False))
    found = certify_training(problem, train(trainer(trainers.with_l2_and_batches), problem))
    assert found.is_right
    assert found.is_likely
    assert found.at_least <= found.at_most < 1e-5
    assert found.point.least_loss <= found.point.most_loss < found.point.least_loss + 1e-12
    assert found.named == ()


def test_a_certificate_of_a_wrong_trainer_names_the_mistake() -> None:
    problem = problem_on(data(), Settings(n_steps=20))
    found = certify_training(problem, train(trainer(trainers.ascent), problem), ["momentum_0.9", "ascent"])
    assert not found.is_right
    assert "looks like ascent: the gradient is added, not subtracted" in certificate_lines("ascent", found)


def test_a_mistake_with_which_roundings_grow_is_named_and_no_more_is_said() -> None:
    """A sum for the mean makes steps 40 times too long: roundings grow, and no prediction comes near."""
    problem = problem_on(data(), Settings(n_steps=300))
    found = certify_training(problem, train(trainer(trainers.sum_for_mean), problem), ["ascent", "sum_for_mean"])
    assert found.named == ()
    assert [one.name for one in found.unsettled] == ["sum_for_mean"]
    lines = [*certificate_lines("sum", found)]
    assert any(line.startswith("looks like sum_for_mean: the gradient is the sum") for line in lines)
    assert not any(line.startswith("looks like more than") for line in lines)


def test_a_mistake_that_is_not_all_of_it_is_not_unsettled() -> None:
    """Where roundings do not grow, what is left over is another mistake."""
    problem = problem_on(data(), Settings(n_steps=20))
    found = certify_training(problem, train(trainer(trainers.pulled_by_a_sine), problem), ["momentum_0.9"])
    assert (found.named, found.unsettled) == ((), ())
    assert "looks like more than momentum_0.9" in certificate_lines("sine", found)


def test_the_last_line_says_whether_all_is_met() -> None:
    right, wrong = examined(trainers.plain), examined(trainers.ascent)
    assert closing_line(right, is_met=True) == "met"
    assert closing_line(right, is_met=False) == "not met: this training does not end where it has to"
    assert closing_line(wrong, is_met=True).startswith("not met: ")
    assert closing_line(wrong, is_met=True).endswith("of small trainings, though this training shows nothing wrong")


def test_the_optimum_is_no_further_than_proved() -> None:
    """With a penalty on all parameters: a long training ends at the optimum."""
    settings = Settings("float64", n_steps=15, l2=0.1, has_bias=False)
    problem = problem_on(data(), settings)
    from gradlab.trainer.call import Trained
    from gradlab.trainer.descent import end_of_descent

    early, late = (end_of_descent(problem.replace(n_steps=n)).parameters for n in (15, 3000))
    found = certify_training(problem, Trained(early))
    apart = float(np.linalg.norm(early - late))
    assert found.point.from_optimum <= apart * (1 + 1e-6)
    assert apart * (1 - 1e-6) <= found.point.to_optimum <= found.point.from_optimum * (1 + 1e-6)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f(X, y, W, b): ...", "nothing takes learning_rate and nothing n_steps"),
        ("def f(X, y, lr, steps, gizmo): ...", "gizmo is not known"),
        ("f = 3", "f"),
    ],
)
def test_what_is_unclear_is_refused_with_how_to_claim_it(tmp_path: Path, source: str, said: str) -> None:
    path = tmp_path / "theirs.py"
    path.write_text(source)
    with pytest.raises(TargetError, match=said):
        load_trainer(f"trainer:{path}:f")


def test_what_is_taken_can_be_claimed() -> None:
    def theirs(u: Any, v: Any, p: Any, q: Any, r: Any, s: Any) -> None: ...

    claimed = ("W", "b", "X", "targets", "n_steps", "learning_rate")
    assert list(taken_by(theirs, claimed).values()) == list(claimed)
    with pytest.raises(UnclearTrainerError, match="must be some of"):
        taken_by(theirs, ("wheat",))


def test_data_from_a_file(tmp_path: Path) -> None:
    own, path = data(), tmp_path / "own.npz"
    np.savez(path, X=own.features, y=own.labels)
    assert (load_data(str(path)).features == own.features).all()
    assert standardised(own).features.std(axis=0) == pytest.approx(np.ones(5))


@pytest.mark.parametrize(
    "arrays", [{}, {"X": np.ones(3), "y": np.ones(3, int)}, {"X": np.ones((3, 1)), "y": np.ones(2, int)}]
)
def test_bad_data_are_refused(tmp_path: Path, arrays: dict[str, Any]) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError):
        load_data(str(path))


def test_a_class_with_fit_is_a_trainer_from_the_start_that_it_makes() -> None:
    target = f"trainer:{trainers.__file__}:Regression"
    assert examine_trainer(load_trainer(target)).findings == ()


def test_a_class_that_takes_a_step_too_few_is_named() -> None:
    found = examine_trainer(load_trainer(f"trainer:{trainers.__file__}:WithoutItsLastStep"))
    assert "looks like fewer_steps: 1 step fewer than asked for is taken" in examination_lines("", found)


TORCH_LOOP = """
import torch

def train(X, y, W0, b0, lr, steps):
    layer = torch.nn.Linear(X.shape[1], len(b0))
    with torch.no_grad():
        layer.weight.copy_(W0.T)
        layer.bias.copy_(b0)
    layer.to(X.dtype)
    optimizer = torch.optim.SGD(layer.parameters(), lr=lr{more})
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(layer(X), y).backward()
        optimizer.step()
    return layer
"""


@pytest.mark.parametrize(("more", "named"), [("", ""), (", momentum=0.9", "looks like momentum_0.9")])
def test_a_loop_of_torch_is_a_trainer(tmp_path: Path, more: str, named: str) -> None:
    pytest.importorskip("torch")
    path = tmp_path / "loop.py"
    path.write_text(TORCH_LOOP.format(more=more))
    said = "\n".join(examination_lines("", examine_trainer(load_trainer(f"trainer:torch:{path}:train"))))
    assert named in said
    assert ("FAIL" in said) == bool(named)
