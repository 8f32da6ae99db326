"""How a problem of the layer is made of float64 numbers: rounded to a format, with logits of a given size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.problems.dtypes import Format
from gradlab.problems.families.placing import round_to
from gradlab.problems.problem import Array

Rng = np.random.Generator


def make_layer(
    fmt: Format, features: Array, weight: Array, labels: Array, bias: Array | None = None, penalty: float = 0.0
) -> LayerProblem:
    """A problem of these numbers, rounded to the format; without a bias it has one of zeros."""
    features, weight = np.asarray(features, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    given = np.zeros(weight.shape[1]) if bias is None else np.asarray(bias, dtype=np.float64)
    x, w, b = (round_to(fmt, one) for one in (features, weight, given))
    return LayerProblem(x, w, b, np.asarray(labels, dtype=np.int64), penalty=Penalty(penalty))


def draw(fmt: Format, rng: Rng, shape: Sequence[int], scale: float = 1.0) -> LayerProblem:
    """Normal features (N, D), a weight (D, K) that makes logits of that scale, a bias, and labels; all of one size."""
    n, d, k = shape
    features, weight = rng.normal(size=(n, d)), rng.normal(size=(d, k)) * scale / np.sqrt(d)
    return make_layer(fmt, features, weight, rng.integers(k, size=n), rng.normal(size=k) * scale / 4)


def largest_classes(problem: LayerProblem) -> Array:
    """The class of the largest logit of each row."""
    return np.asarray(problem.float64_logits.argmax(axis=1))


def median_margin(problem: LayerProblem) -> float:
    """The median, over the rows, of the largest logit less the second largest."""
    top = np.sort(problem.float64_logits, axis=1)[:, -2:]
    return float(np.median(top[:, 1] - top[:, 0]))
