"""Calling a trainer: from a problem to arguments, and from what came back to weights, bias, losses and an order."""

from __future__ import annotations

import contextlib
import inspect
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradlab.evaluation.call import CallFaultError, GivenArguments, perform
from gradlab.evaluation.foreign import Leaves, describe_error, leaves_of
from gradlab.layer.names import result_role
from gradlab.problems.problem import Array
from gradlab.trainer.form import Form, with_bias_taken_apart
from gradlab.trainer.names import taken_by, trainer_roles
from gradlab.trainer.order import SEED, Makers, Way, reported_turns
from gradlab.trainer.problem import TrainerProblem

_WEIGHT_NAMES = {"dW": "W", "db": "b", "loss": "losses"}  # what names of results stand for here
NEVER = 10**9  # steps, after which something is printed
_LOSSES = ("history", "losses", "costs", "loss_history", "cost_history", "loss_", "losses_", "loss_curve_")


@dataclass(frozen=True, eq=False)
class Trainer:
    """A callable that trains a layer. taken: what each of its parameters takes, in its own order; form: and how.

    name, target: as in `Implementation`. way: to the order of its batches, None for that of the rows. makers: the
    generators of its framework, as those of `order`.
    """

    name: str
    function: Callable[..., Any]
    taken: Mapping[str, str]
    target: str = ""
    form: Form = field(default_factory=Form)
    way: Way | None = None
    makers: Makers = field(default_factory=dict)

    def takes(self, role: str) -> bool:
        """Whether one of its parameters takes this."""
        return role in self.taken.values()

    @property
    def is_seeded(self) -> bool:
        """Whether what it draws comes from a seed, or a generator, that it is given."""
        return self.takes("seed") or self.takes("rng")

    @property
    def has_bias(self) -> bool:
        """Whether it trains a bias: one of its own, one in W, or one that it makes itself, as it makes W."""
        makes_its_own = not self.takes("W") and not self.form.is_without_bias
        return self.takes("b") or makes_its_own or self.form.holds_bias

    @property
    def is_solver(self) -> bool:
        """Whether it looks for the optimum, without a learning rate."""
        return not self.takes("learning_rate")


@dataclass(frozen=True, eq=False)
class Trained:
    """What came back: W (D, K), b (K,) or None; or the fault, and no weight.

    losses: those that it reports, if any. order: the numbers of rows that it reports, if any, an array for each step,
    or for each epoch. is_turned: whether W came back as (K, D). is_halved: whether two classes had one column of
    weights.
    """

    weight: Array | None = None
    bias: Array | None = None
    losses: Array | None = None
    fault: str = ""
    order: tuple[Array, ...] = ()
    is_turned: bool = False
    is_halved: bool = False

    @property
    def parameters(self) -> Array:
        """W with the bias as last row, in float64."""
        assert self.weight is not None
        weight = self.weight.astype(np.float64)
        return weight if self.bias is None else np.concatenate([weight, self.bias.astype(np.float64)[None]])


def trainer_of(name: str, function: Callable[..., Any], claimed: tuple[str, ...] = (), target: str = "") -> Trainer:
    """The trainer that is a function. Raises UnclearTrainerError."""
    return Trainer(name, function, taken_by(function, claimed), target)


def train(trainer: Trainer, problem: TrainerProblem, seed: int = SEED) -> Trained:
    """What a fresh call returns; whatever it does, an answer comes back. seed: of the process's own generators.

    Raises ValueError where the problem needs what the trainer does not take: a penalty, or batches. One that takes no
    start is asked as it is: see `with_start_of`.
    """
    _check_taken(trainer, problem)
    with _seeded(seed):
        outcome = perform(trainer.function, GivenArguments((), arguments_of(trainer, problem)), keep=_last_leaves)
    if isinstance(outcome.error, CallFaultError):
        return Trained(fault=str(outcome.error))
    if outcome.error is not None:
        return Trained(fault=f"raised {describe_error(outcome.error)}")
    if outcome.value is _NO_ITERATE and not problem.n_steps and trainer.takes("W"):
        return Trained(problem.weight, problem.bias)  # an iterate for each step, and none for the start
    return _trained(outcome.value, problem, trainer.form)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """With the process's generators seeded, which code without a seed of its own draws from; and then as before."""
    of_numpy, of_python = np.random.get_state(), random.getstate()
    np.random.seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(of_numpy)
        random.setstate(of_python)


def with_start_of(trainer: Trainer, problem: TrainerProblem) -> TrainerProblem:
    """The problem from the start that the trainer makes by itself, which is what it returns for 0 steps.

    At the rate 0, unless it refuses that, so that a step that it takes all the same is none. That of the problem where
    it takes a start, or where it returns nothing usable for 0 steps.
    """
    if trainer.takes("W"):
        return problem
    start = train(trainer, problem.replace(n_steps=0, learning_rate=0.0))
    if start.weight is None:
        start = train(trainer, problem.replace(n_steps=0))
    if start.weight is None:
        return problem
    dtype = problem.features.dtype
    if (start.parameters.astype(dtype) != start.parameters).any():
        dtype = np.dtype(np.float64)  # in which it computes, whatever its data are in
    bias = None if start.bias is None or problem.bias is None else start.bias.astype(dtype)
    return problem.replace(features=problem.features.astype(dtype), weight=start.weight.astype(dtype), bias=bias)


def with_order_of(trainer: Trainer, problem: TrainerProblem, trained: Trained) -> TrainerProblem:
    """The problem with its batches in the order that the trainer reports, or that it is known to take."""
    if problem.batch_size is None and not (trainer.way and trainer.way.repeats):
        return problem
    if trained.order:
        return problem.replace(turns=reported_turns(problem, trained.order))
    return trainer.way.ordered(problem, trainer.takes("n_epochs")) if trainer.way else problem


def _check_taken(trainer: Trainer, problem: TrainerProblem) -> None:
    if problem.penalty.is_on and not (trainer.takes("l2") or trainer.takes("C")):
        raise ValueError(f"{trainer.name} takes no l2: the penalty must be 0")
    if problem.batch_size is not None and not trainer.takes("batch_size"):
        raise ValueError(f"{trainer.name} takes no batch_size: every step must take all rows")


def arguments_of(trainer: Trainer, problem: TrainerProblem) -> Mapping[str, Any]:
    """Fresh arguments of a call, by the names of its parameters."""
    form = trainer.form
    bias = problem.bias if problem.bias is not None else np.zeros(problem.n_classes, problem.weight.dtype)
    strength = form.given_strength(problem)
    values: dict[str, Any] = {
        "X": form.given_features(problem.features),
        "targets": form.given_targets(problem),
        "W": form.given_start(problem.weight, bias),
        "b": form.given_bias(bias),
        "learning_rate": problem.learning_rate,
        "n_steps": problem.n_steps,
        "n_epochs": problem.n_steps // problem.n_batches,
        "n_classes": problem.n_classes,
        "n_features": problem.n_features,
        "l2": strength,
        "C": strength,
        "tol": problem.tolerance,
        "batch_size": problem.batch_size or problem.n_rows,
        "order": form.given_order(problem),
        "shuffle": False,
        "seed": SEED,
        "rng": np.random.default_rng(SEED),
        "callback": lambda *values, **named: None,
        "verbose": False,
        "every": NEVER,
    }
    return {name: values[role] for name, role in trainer.taken.items()}


_NO_ITERATE = leaves_of(None)  # of a generator that gives nothing


def _last_leaves(value: Any) -> Leaves:
    """What was returned, taken apart; of a generator of iterates the last."""
    if inspect.isgenerator(value):
        last = deque(value, maxlen=1)
        return leaves_of(last[0]) if last else _NO_ITERATE
    return leaves_of(value)


def _trained(value: Leaves, problem: TrainerProblem, form: Form) -> Trained:
    """The weights, the bias, the losses and the order among what came back, by their names, else by their shapes."""
    found: dict[str, Array] = {}
    rows: dict[str, Array] = {}
    for path, array in _arrays(value).items():
        if problem.batch_size is not None and _holds_rows(array, problem.n_rows):
            rows[path] = array
        role = _role(path, array, problem, form)
        if role and role not in found:
            found[role] = array
    weight = found.get("W")
    if weight is None:
        shape = (problem.n_features, problem.n_classes)
        return Trained(fault=f"returned {value.text}, must return W of shape {shape}, and b")
    is_halved = problem.n_classes == 2 and weight.size == problem.n_features + bool(form.bias_row)
    weight, is_turned = (_both_columns(weight), True) if is_halved else _upright(weight, problem, form)
    if weight.dtype.kind != "f" or not np.isfinite(weight).all():
        return Trained(fault=f"returned a W of dtype {weight.dtype} that is not finite in every entry")
    bias = found.get("b")
    if form.bias_row:
        weight, bias = with_bias_taken_apart(weight, form.bias_row)
    if problem.bias is not None and bias is None:
        return Trained(fault=f"returned {value.text}, must return b of shape ({problem.n_classes},) too")
    if bias is not None and not np.isfinite(bias).all():
        return Trained(fault="returned a b that is not finite in every entry")
    if bias is not None and is_halved and bias.size == 1:
        bias = _both_columns(bias)
    kept = None if bias is None or problem.bias is None else bias.reshape(problem.n_classes)
    return Trained(weight, kept, found.get("losses"), "", _order(rows), is_turned, is_halved)


def _arrays(value: Leaves) -> dict[str, Array]:
    """The arrays that came back by their paths; a list of numbers, which has been taken apart, is one again."""
    found: dict[str, Array] = {}
    lists: dict[str, list[Array]] = {}
    for path, part in value.parts.items():
        array, (head, _, tail) = np.asarray(part), path.rpartition(".")
        if array.ndim == 0 and head and tail.isdigit():
            lists.setdefault(head, []).append(array)
        else:
            found[path] = array
    return {**found, **{path: np.array(numbers) for path, numbers in lists.items()}}


def _upright(weight: Array, problem: TrainerProblem, form: Form) -> tuple[Array, bool]:
    """W with the features first, and whether it came the other way round; of a square one the form says that."""
    shape = (problem.n_features + bool(form.bias_row), problem.n_classes)
    is_turned = weight.shape != shape or (shape[0] == shape[1] and form.is_turned)
    return (weight.T if is_turned else weight), is_turned


def _both_columns(values: Array) -> Array:
    """What stands for the second of two classes, as columns for both."""
    half = values.reshape(-1, 1) / 2
    return np.concatenate([-half, half], axis=1)


def _order(rows: Mapping[str, Array]) -> tuple[Array, ...]:
    """The numbers of rows that came back, an array for each step or epoch: those that are called so, else all."""
    named = [array for path, array in rows.items() if "order" in _roles_on(path)]
    found: list[Array] = []
    for array in named or rows.values():
        found += list(array) if array.ndim == 2 else [array]
    return tuple(found)


def _holds_rows(array: Array, n_rows: int) -> bool:
    """Whether it may hold numbers of rows."""
    return (
        array.dtype.kind in "iu"
        and 1 <= array.ndim <= 2
        and array.size > 0
        and 0 <= array.min() <= array.max() < n_rows
    )


def _roles_on(path: str) -> tuple[str, ...]:
    """What the names on a path may stand for."""
    return tuple(role for name in path.split(".") for role in trainer_roles(name))


def _role(path: str, array: Array, problem: TrainerProblem, form: Form) -> str:
    name = path.rpartition(".")[2].lower()
    named = "losses" if name in _LOSSES else _WEIGHT_NAMES.get(result_role(path), "")
    n_rows, n_classes = problem.n_features + bool(form.bias_row), problem.n_classes
    shapes: dict[str, list[tuple[int, ...]]] = {
        "W": [(n_rows, n_classes), (n_classes, n_rows)],
        "b": [(n_classes,), (1, n_classes), (n_classes, 1)],
    }
    if n_classes == 2:  # of which one column tells all
        shapes["W"].append((1, n_rows))
        shapes["b"].append((1,))
    if named in shapes and array.shape in shapes[named]:
        return named
    if named == "losses" and array.ndim == 1:
        return named
    fitting = [role for role, some in shapes.items() if array.shape in some]
    return fitting[0] if fitting else "losses" if array.ndim == 1 and array.dtype.kind == "f" else ""
