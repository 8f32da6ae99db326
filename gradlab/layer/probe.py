"""The problem on which it is recognised how a layer is called, and what is right on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradlab.evaluation.claims import Claims
from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.oracle.enclosure import enclose
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array

N_ROWS, N_FEATURES, N_CLASSES = 5, 7, 4  # all different, and none is 1: shapes tell what is what
NEAR = {"float16": 2.0**-4, "bfloat16": 2.0**-3, "float32": 2.0**-10, "float64": 2.0**-10}  # to recognise, not to judge


def probe_problem(claims: Claims, penalty: Penalty | None = None) -> LayerProblem:
    """A small problem of moderate numbers with a bias, in the dtype of those claimed that has the most digits."""
    rng = np.random.default_rng(7)
    dtype = _widest(claims)
    features, weight = rng.normal(size=(N_ROWS, N_FEATURES)), rng.normal(size=(N_FEATURES, N_CLASSES)) / 2
    labels = np.arange(N_ROWS) * 3 % N_CLASSES
    soft = claims.targets[0] == "probability"
    shares = np.array([[1, 2, 1, 4], [4, 2, 1, 1], [0, 4, 4, 0], [2, 2, 2, 2], [1, 0, 6, 1]]) / 8
    return LayerProblem(
        features.astype(dtype),
        weight.astype(dtype),
        (rng.normal(size=N_CLASSES) / 2).astype(dtype),
        shares.astype(dtype) if soft else labels,
        Objective(reduction=claims.reduction[0], targets=claims.targets[0], mean_over=claims.mean_over[0]),
        penalty or Penalty(),
    )


def right_outputs(problem: LayerProblem) -> Mapping[str, Array]:
    """The loss and its derivatives, without a penalty, right to some digits, by name."""
    truth = enclose(problem.at_logits(problem.float64_logits))
    g = truth.gradient.nearest()
    return {"loss": truth.loss.nearest(), "dX": g @ problem.weight64.T, "dW": problem.features64.T @ g, "db": g.sum(0)}


def is_near(value: Array, expected: Array, claims: Claims) -> bool:
    """Whether a value is what was expected, as far as is needed to tell it from something else."""
    difference = np.abs(np.asarray(value, np.float64) - expected)
    return bool((difference <= NEAR[_widest(claims).name] * np.abs(expected).max(initial=0)).all())


def _widest(claims: Claims) -> np.dtype[Any]:
    return as_dtype(max(claims.dtypes, key=DTYPE_NAMES.index))
