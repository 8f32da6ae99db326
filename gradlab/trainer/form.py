"""The form in which a trainer takes and returns arrays: their layout, the kind of labels, what stands for a penalty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from gradlab.layer.names import is_one_hot
from gradlab.problems.problem import Array
from gradlab.trainer.problem import TrainerProblem

ORDERS = ("rows", "epochs", "batches")  # the rows of an epoch, (N,); of each epoch, (n_epochs, N); of each step
PLACES = ("", "first", "last")  # of the bias among the rows of W; "" where it is an array of its own
STARTS = ("", "pair", "mapping", "module")  # what W and b are handed over in as one; "" where they are two arguments


@dataclass(frozen=True, eq=False)
class ModuleStart:
    """A start that an adapter makes a module of: W (D, K) and b (K,)."""

    weight: Array
    bias: Array


@dataclass(frozen=True)
class Form:
    """The defaults are the usual form.

    one_hot: labels are one-hot rows, of the features' dtype. columns: an example is a column of X, and of one-hot
    labels. classes_first: W is taken as (K, D). is_turned: it comes back as (K, D). bias_shape: "K", "1K" or "K1".
    bias_row: where the bias is in W, of PLACES. is_without_bias: whether one that makes its own start has none.
    start: in what W and b are handed over, of STARTS. strength: what is handed over for a penalty of l2, of
    STRENGTHS. order: of ORDERS.
    """

    one_hot: bool = False
    columns: bool = False
    classes_first: bool = False
    is_turned: bool = False
    bias_shape: str = "K"
    bias_row: str = ""
    is_without_bias: bool = False
    start: str = ""
    strength: str = "l2"
    order: str = "rows"

    @property
    def holds_bias(self) -> bool:
        """Whether what is handed over as W has the bias in it."""
        return bool(self.bias_row or self.start)

    def given_start(self, weight: Array, bias: Array) -> Any:
        """A fresh W in this form, with the bias where it is in it."""
        if self.start == "module":
            return ModuleStart(weight.copy(), bias.copy())
        if self.bias_row:
            rows = (bias[None], weight) if self.bias_row == "first" else (weight, bias[None])
            weight = np.concatenate(rows)
        alone = np.array(weight.T if self.classes_first else weight, order="C")
        values = {"": alone, "pair": [alone, bias.copy()], "mapping": {"W": alone, "b": bias.copy()}}
        return values[self.start]

    def given_bias(self, bias: Array) -> Array:
        """A fresh b in this form."""
        return np.array(bias).reshape({"K": (-1,), "1K": (1, -1), "K1": (-1, 1)}[self.bias_shape])

    def given_features(self, features: Array) -> Array:
        """A fresh X in this form."""
        return np.array(features.T if self.columns else features, order="C")

    def given_targets(self, problem: TrainerProblem) -> Array:
        """Fresh labels in this form."""
        if problem.targets.ndim == 1 and not self.one_hot:
            return problem.targets.copy()
        shares = problem.shares64.astype(problem.features.dtype)
        return np.array(shares.T if self.columns else shares, order="C")

    def given_order(self, problem: TrainerProblem) -> Any:
        """The order of the rows in this form."""
        steps = range(max(problem.n_steps, 1))
        batches = [np.arange(problem.n_rows)[problem.batches[step % len(problem.batches)]] for step in steps]
        if self.order == "batches":
            return batches
        rows = np.concatenate(batches[: problem.n_batches])
        return rows if self.order == "rows" else np.tile(rows, (-(-problem.n_steps // problem.n_batches), 1))

    def given_strength(self, problem: TrainerProblem) -> float:
        """What is handed over for the problem's penalty; for none 0, or the inverse of that."""
        return STRENGTHS[self.strength](problem.penalty.strength, problem.n_rows)


def _inverse(value: float) -> float:
    return 1 / value if value else np.inf


STRENGTHS: Mapping[str, Callable[[float, int], float]] = {
    "l2": lambda strength, n_rows: strength,
    "l2 times N": lambda strength, n_rows: strength * n_rows,
    "1/(l2 N)": lambda strength, n_rows: _inverse(strength * n_rows),
    "1/l2": lambda strength, n_rows: _inverse(strength),
}


def forms_of(taken: Mapping[str, str]) -> Iterator[Form]:
    """The forms in which a trainer may take its arrays, the likeliest first. taken: what each parameter takes.

    Where none takes the bias, it may be in W, which is a row of W, or a pair, a mapping or a module of both. Where none
    takes W either, there may be no bias.
    """
    roles = set(taken.values())
    places = PLACES[:1] if {"W", "b"} <= roles else PLACES
    starts = STARTS if "W" in roles and "b" not in roles else STARTS[:1]
    for form in _layouts(taken):
        yield from (replace(form, bias_row=place) for place in places)
        yield from (replace(form, start=start) for start in starts if start)
        if not {"W", "b"} & roles:
            yield replace(form, is_without_bias=True)


def _layouts(taken: Mapping[str, str]) -> Iterator[Form]:
    names = [name for name, role in taken.items() if role == "targets"]
    kinds = (True, False) if any(map(is_one_hot, names)) else (False, True)
    orders = (False, True) if "W" in taken.values() else (False,)
    shapes = ("K", "1K", "K1") if "b" in taken.values() else ("K",)
    taking = ORDERS if "order" in taken.values() else ORDERS[:1]
    for columns, one_hot, classes_first, shape, order in product((False, True), kinds, orders, shapes, taking):
        yield Form(one_hot, columns, classes_first, bias_shape=shape, order=order)


def with_bias_taken_apart(weight: Array, place: str) -> tuple[Array, Array]:
    """W (D, K) and b (K,) out of W with the bias as its first or last row."""
    return (weight[1:], weight[0]) if place == "first" else (weight[:-1], weight[-1])
