"""Calling a trainer: from a problem to arguments, and from what came back to weights, bias and losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.evaluation.call import CallFaultError, GivenArguments, perform
from gradlab.evaluation.foreign import Leaves, describe_error, leaves_of
from gradlab.layer.names import result_role
from gradlab.problems.problem import Array
from gradlab.trainer.names import taken_by
from gradlab.trainer.problem import TrainerProblem

_WEIGHT_NAMES = {"dW": "W", "db": "b", "loss": "losses"}  # what names of results stand for here


@dataclass(frozen=True, eq=False)
class Trainer:
    """A callable that trains a layer. taken: what each of its parameters takes, in its own order.

    name, target: as in `Implementation`.
    """

    name: str
    function: Callable[..., Any]
    taken: Mapping[str, str]
    target: str = ""

    def takes(self, role: str) -> bool:
        """Whether one of its parameters takes this."""
        return role in self.taken.values()


@dataclass(frozen=True, eq=False)
class Trained:
    """What came back: W (D, K), b (K,) or None, and the losses that it reports, if any; or the fault, and no weight."""

    weight: Array | None = None
    bias: Array | None = None
    losses: Array | None = None
    fault: str = ""

    @property
    def parameters(self) -> Array:
        """W with the bias as last row, in float64."""
        assert self.weight is not None
        weight = self.weight.astype(np.float64)
        return weight if self.bias is None else np.concatenate([weight, self.bias.astype(np.float64)[None]])


def trainer_of(name: str, function: Callable[..., Any], claimed: tuple[str, ...] = (), target: str = "") -> Trainer:
    """The trainer that is a function. Raises UnclearTrainerError."""
    return Trainer(name, function, taken_by(function, claimed), target)


def train(trainer: Trainer, problem: TrainerProblem) -> Trained:
    """What a fresh call returns; whatever it does, an answer comes back.

    Raises ValueError where the problem needs what the trainer does not take: a penalty, or batches. One that takes no
    start is asked as it is: see `with_start_of`.
    """
    _check_taken(trainer, problem)
    outcome = perform(trainer.function, GivenArguments((), arguments_of(trainer, problem)), keep=leaves_of)
    if isinstance(outcome.error, CallFaultError):
        return Trained(fault=str(outcome.error))
    if outcome.error is not None:
        return Trained(fault=f"raised {describe_error(outcome.error)}")
    return _trained(outcome.value, problem)


def with_start_of(trainer: Trainer, problem: TrainerProblem) -> TrainerProblem:
    """The problem from the start that the trainer makes by itself, which is what it returns for 0 steps.

    That of the problem where it takes a start, or where it returns nothing usable for 0 steps.
    """
    if trainer.takes("W"):
        return problem
    start = train(trainer, problem.replace(n_steps=0))
    if start.weight is None:
        return problem
    dtype = problem.features.dtype
    bias = None if start.bias is None else start.bias.astype(dtype)
    return problem.replace(weight=start.weight.astype(dtype), bias=bias if problem.bias is not None else None)


def _check_taken(trainer: Trainer, problem: TrainerProblem) -> None:
    if problem.penalty.is_on and not trainer.takes("l2"):
        raise ValueError(f"{trainer.name} takes no l2: the penalty must be 0")
    if problem.batch_size is not None and not trainer.takes("batch_size"):
        raise ValueError(f"{trainer.name} takes no batch_size: every step must take all rows")


def arguments_of(trainer: Trainer, problem: TrainerProblem) -> Mapping[str, Any]:
    """Fresh arguments of a call, by the names of its parameters."""
    bias = problem.bias if problem.bias is not None else np.zeros(problem.n_classes, problem.weight.dtype)
    values: dict[str, Any] = {
        "X": problem.features.copy(),
        "targets": problem.targets.copy(),
        "W": problem.weight.copy(),
        "b": bias.copy(),
        "learning_rate": problem.learning_rate,
        "n_steps": problem.n_steps,
        "n_epochs": problem.n_steps // len(problem.batches),
        "n_classes": problem.n_classes,
        "l2": problem.penalty.strength,
        "batch_size": problem.batch_size or problem.n_rows,
        "seed": 0,
    }
    return {name: values[role] for name, role in trainer.taken.items()}


def _trained(value: Leaves, problem: TrainerProblem) -> Trained:
    """The weights, the bias and the losses among what came back, by their names, else by their shapes."""
    found: dict[str, Array] = {}
    for path, part in value.parts.items():
        array = np.asarray(part)
        role = _role(path, array, problem)
        if role and role not in found:
            found[role] = array
    weight = found.get("W")
    if weight is None:
        shape = (problem.n_features, problem.n_classes)
        return Trained(fault=f"returned {value.text}, must return W of shape {shape}, and b")
    if weight.shape != problem.weight.shape:
        weight = weight.T
    if weight.dtype.kind != "f" or not np.isfinite(weight).all():
        return Trained(fault=f"returned a W of dtype {weight.dtype} that is not finite in every entry")
    bias = found.get("b")
    if problem.bias is not None and bias is None:
        return Trained(fault=f"returned {value.text}, must return b of shape ({problem.n_classes},) too")
    if bias is not None and not np.isfinite(bias).all():
        return Trained(fault="returned a b that is not finite in every entry")
    kept = None if bias is None or problem.bias is None else bias.reshape(problem.n_classes)
    return Trained(weight, kept, found.get("losses"))


def _role(path: str, array: Array, problem: TrainerProblem) -> str:
    named = _WEIGHT_NAMES.get(result_role(path), "")
    shapes = {
        "W": (problem.weight.shape, problem.weight.shape[::-1]),
        "b": ((problem.n_classes,), (1, problem.n_classes), (problem.n_classes, 1)),
    }
    if named in shapes and array.shape in shapes[named]:
        return named
    fitting = [role for role, some in shapes.items() if array.shape in some]
    return fitting[0] if fitting else "losses" if array.ndim == 1 else ""
