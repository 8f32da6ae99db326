"""What is said of a problem of the layer: numbers that a mistake may depend on, with the words for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.layer.problem import LayerProblem
from gradlab.localisation.features.feature import BLOCKS
from gradlab.problems.objective import Objective
from gradlab.problems.options import REAL_OPTIONS
from gradlab.problems.problem import Array


@dataclass(frozen=True, eq=False)
class Quantity:
    """A number that a problem has.

    said: the words for it; where it is yes or no, those for yes, and in `no` those for no. cost: how far-fetched it is.
    kind: "whole" or "real" for what has thresholds, "truth", or "remainder", by the modulus. extents: the sizes that it
    depends on, out of N, D and K.
    """

    said: str
    value: Callable[[LayerProblem], float]
    kind: str
    cost: float = 1.0
    no: str = ""
    extents: str = ""
    modulus: int = 0


def extents_of(problem: LayerProblem) -> Mapping[str, int]:
    """N, D and K by these names."""
    return {"N": problem.n_rows, "D": problem.n_features, "K": problem.n_classes}


def _labels(problem: LayerProblem) -> Array:
    """The labels of the rows that count; the class of the largest share where there are probabilities."""
    if problem.targets.ndim == 2:
        return np.asarray(problem.targets.astype(np.float64).argmax(axis=1))
    return np.asarray(problem.targets[problem.targets != problem.objective.ignore_index])


def _has_repeated(problem: LayerProblem) -> bool:
    labels = _labels(problem)
    return len(np.unique(labels)) < len(labels)


def _largest(values: Array) -> float:
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def _spread(problem: LayerProblem) -> float:
    """The largest distance between two finite logits of a row."""
    z = np.where(np.isfinite(problem.float64_logits), problem.float64_logits, np.nan)
    with np.errstate(all="ignore"):
        return float(np.nan_to_num(np.nanmax(z, axis=1) - np.nanmin(z, axis=1)).max(initial=0.0))


def _rows_apart(problem: LayerProblem) -> float:
    """The largest distance between the largest logits of two rows."""
    largest = problem.float64_logits.max(axis=1, initial=-np.inf)
    largest = largest[np.isfinite(largest)]
    return float(largest.max() - largest.min()) if largest.size else 0.0


def _truths() -> Iterator[Quantity]:
    yield Quantity("there is a penalty", lambda one: one.penalty.is_on, "truth", 0.6, "there is no penalty")
    for name, default in _OPTIONS.items():
        yield Quantity(
            f"{name} is given",
            lambda one, name=name, default=default: getattr(one.objective, name) != default,  # type: ignore[misc]
            "truth",
            0.6,
            f"{name} is not given",
        )
    yield Quantity("a row is ignored", lambda one: len(_labels(one)) < one.n_rows, "truth", 0.7, "no row is ignored")
    yield Quantity("a label occurs twice", _has_repeated, "truth", 0.9, "no label occurs twice")
    for first, second in ("DK", "ND", "NK"):
        yield Quantity(
            f"{first} is {second}",
            lambda one, a=first, b=second: extents_of(one)[a] == extents_of(one)[b],  # type: ignore[misc]
            "truth",
            0.9,
            f"{first} is not {second}",
            first + second,
        )
        yield Quantity(
            f"{first} is greater than {second}",
            lambda one, a=first, b=second: extents_of(one)[a] > extents_of(one)[b],  # type: ignore[misc]
            "truth",
            1.3,
            f"{first} is not greater than {second}",
            first + second,
        )
    yield Quantity("a label is 0", lambda one: bool((_labels(one) == 0).any()), "truth", 1.2, "no label is 0")
    yield Quantity(
        "a label is the last class",
        lambda one: bool((_labels(one) == one.n_classes - 1).any()),
        "truth",
        1.2,
        "no label is the last class",
    )
    yield Quantity(
        "a class is masked",
        lambda one: not bool(np.isfinite(one.bias64).all()),
        "truth",
        0.8,
        "no class is masked",
    )
    yield Quantity(
        "a feature is negative", lambda one: bool((one.features64 < 0).any()), "truth", 1.4, "no feature is negative"
    )


_NAMES = ("label_smoothing", "class_weights", "sample_weights", "ignore_index", *REAL_OPTIONS)
_OPTIONS = {name: getattr(Objective(), name) for name in _NAMES}


def _numbers() -> Iterator[Quantity]:
    for name in "NDK":
        yield Quantity(name, lambda one, name=name: extents_of(one)[name], "whole", 1.0, extents=name)  # type: ignore[misc]
    for first, second in ("NK", "ND", "DK"):
        yield Quantity(
            f"{first} {second}",
            lambda one, a=first, b=second: extents_of(one)[a] * extents_of(one)[b],  # type: ignore[misc]
            "whole",
            1.5,
            extents=first + second,
        )
    yield Quantity("the largest logit, in size,", lambda one: _largest(one.float64_logits), "real", 1.2)
    yield Quantity("the largest logit", lambda one: float(one.float64_logits.max(initial=-np.inf)), "real", 1.2)
    yield Quantity("the distance of two logits of a row", _spread, "real", 1.3)
    yield Quantity("the distance of the largest logits of two rows", _rows_apart, "real", 1.3)
    yield Quantity("the largest feature, in size,", lambda one: _largest(one.features64), "real", 1.4)
    yield Quantity("the largest weight, in size,", lambda one: _largest(one.weight64), "real", 1.4)
    yield Quantity("the largest entry of the bias, in size,", lambda one: _largest(one.bias64), "real", 1.4)


def _remainders() -> Iterator[Quantity]:
    for name in "NDK":
        for size in (2, 3, *BLOCKS):
            yield Quantity(
                f"{name} modulo {size}",
                lambda one, name=name, size=size: extents_of(one)[name] % size,  # type: ignore[misc]
                "remainder",
                1.5 + 0.05 * math.log2(size),
                f"a multiple of {size}",
                name,
                size,
            )


QUANTITIES = (*_truths(), *_numbers(), *_remainders())
