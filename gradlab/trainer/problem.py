"""One training of a layer by gradient descent: data, a start, a learning rate and a number of steps.

What is trained is the mean over the rows of the loss of `LayerProblem`, with its penalty; what a step is, is said here
and nowhere else:

    (W, b)_{t+1} = (W, b)_t - eta grad f_t((W, b)_t),

exactly, in the real numbers, eta being the learning rate as a float64. f_t is the mean over all rows, or over the rows
of the batch whose turn it is: batches follow each other in the order of the rows, the last of an epoch may be smaller,
or as `turns` says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array

_MEAN = Objective("mean")


@dataclass(frozen=True, eq=False)
class TrainerProblem:
    """Data, a start and how far to go.

    features: (n_rows, n_features), finite, at least one row; targets: labels (n_rows,), or probabilities (n_rows,
        n_classes) that sum to 1, of the features' dtype.
    weight, bias: the start, (n_features, n_classes) and (n_classes,) or None, finite, of the features' dtype.
    learning_rate: at least 0, finite. n_steps: at least 0. batch_size: rows of a batch, None for all rows in every
    step. penalty: of W, on each step's mean. family: where it comes from. turns: the numbers of the rows of each step's
    batch, one after the other and then from the first again; None for the
        order of the rows. tolerance: what is handed over where a trainer takes one, and stops by it.

    The arrays are copied and made read-only. Raises ValueError or TypeError where something does not fit.
    """

    features: Array
    targets: Array
    weight: Array
    bias: Array | None
    learning_rate: float
    n_steps: int
    penalty: Penalty = field(default_factory=Penalty)
    batch_size: int | None = None
    family: str = "given"
    turns: tuple[Array, ...] | None = None
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.learning_rate < math.inf:
            raise ValueError(f"the learning rate must be at least 0 and finite, got {self.learning_rate!r}")
        if self.n_steps < 0:
            raise ValueError(f"the number of steps must be at least 0, got {self.n_steps}")
        if self.batch_size is not None and self.batch_size < 1:
            raise ValueError(f"the size of a batch must be at least 1, got {self.batch_size}")
        _check_turns(self.turns, len(self.features))
        start = self.at(self.weight, self.bias)
        if not start.is_finite:
            raise ValueError("features and start must be finite")
        if start.n_rows < 1:
            raise ValueError("there must be at least one row, got 0")
        if start.targets.ndim == 2 and (np.abs(start.targets.sum(axis=1, dtype=np.float64) - 1) > 0).any():
            raise ValueError("probability targets must sum to 1 in every row")
        for name in ("features", "weight", "bias", "targets"):
            object.__setattr__(self, name, getattr(start, name))

    def at(self, weight: Array, bias: Array | None) -> LayerProblem:
        """The layer's problem on all rows at these weights."""
        objective = replace(_MEAN, targets="probability" if np.ndim(self.targets) == 2 else "index")
        return LayerProblem(self.features, weight, bias, self.targets, objective, self.penalty, self.family)

    @property
    def n_rows(self) -> int:
        return int(self.features.shape[0])

    @property
    def n_features(self) -> int:
        return int(self.features.shape[1])

    @property
    def n_classes(self) -> int:
        return int(self.weight.shape[1])

    @property
    def format(self) -> Format:
        return format_of(self.features.dtype)

    @property
    def n_batches(self) -> int:
        """How many batches an epoch has."""
        return -(-self.n_rows // (self.batch_size or self.n_rows))

    @cached_property
    def batches(self) -> tuple[Array | slice, ...]:
        """The rows of each step's batch, one after the other and then from the first again."""
        if self.turns is not None:
            return self.turns
        size = self.batch_size or self.n_rows
        return tuple(slice(first, min(first + size, self.n_rows)) for first in range(0, self.n_rows, size))

    @cached_property
    def extended64(self) -> Array:
        """The features in float64, exactly, with a column of ones where there is a bias, (n_rows, n_parameters)."""
        features = self.features.astype(np.float64)
        return features if self.bias is None else np.concatenate([features, np.ones((self.n_rows, 1))], axis=1)

    @cached_property
    def start64(self) -> Array:
        """The start in float64, exactly, the bias as its last row, (n_parameters, n_classes)."""
        weight = self.weight.astype(np.float64)
        return weight if self.bias is None else np.concatenate([weight, self.bias.astype(np.float64)[None]])

    @cached_property
    def shares64(self) -> Array:
        """The targets as probabilities in float64, exactly, (n_rows, n_classes)."""
        if self.targets.ndim == 2:
            return self.targets.astype(np.float64)
        return np.asarray((self.targets[:, None] == np.arange(self.n_classes)).astype(np.float64))

    @cached_property
    def slopes(self) -> Array:
        """What each row of the parameters is multiplied by in the penalty's gradient, (n_parameters, 1)."""
        slopes = np.full((self.extended64.shape[1], 1), self.penalty.slope)
        if self.bias is not None and not self.penalty.takes_bias:
            slopes[-1] = 0
        return slopes

    def replace(self, **changes: Any) -> TrainerProblem:
        """The same problem with some fields changed."""
        return replace(self, **changes)


def _check_turns(turns: tuple[Array, ...] | None, n_rows: int) -> None:
    if turns is None:
        return
    if not turns or not all(one.dtype.kind in "iu" and one.ndim == 1 and one.size for one in turns):
        raise ValueError("each turn must have the numbers of one row at least")
    if any(one.min() < 0 or one.max() >= n_rows for one in turns):
        raise ValueError(f"the numbers of rows must lie in [0, {n_rows})")
