"""A smaller problem of the layer that fails as well: rows, features and classes left out, then rounder numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.problems.problem import Array

Fails = Callable[[LayerProblem], bool]


def smaller_layer(failing: LayerProblem, most: int, fails: Fails) -> LayerProblem | None:
    """The smallest that is found in so many tries by making it smaller step by step, None where no step fails.

    The targets stay in the classes that are left; where a number of each class or row is given, none is left out.
    """
    best, tries = failing, 0
    while True:
        for candidate in _steps(best):
            tries += 1
            if tries > most:
                return None if best is failing else best
            if fails(candidate):
                best = candidate
                break
        else:
            return None if best is failing else best


def _steps(problem: LayerProblem) -> Iterator[LayerProblem]:
    """Simpler problems, the boldest first."""
    for places in _halves(problem.n_rows):
        yield problem.rows(places)
    for places in _halves(problem.n_features):
        yield problem.replace(features=problem.features[:, places], weight=problem.weight[places])
    if problem.objective.targets == "index" and problem.objective.class_weights is None:
        yield from _fewer_classes(problem)
    if problem.penalty.is_on:
        yield problem.replace(penalty=Penalty())
    if problem.bias is not None and problem.bias64.any() and np.isfinite(problem.bias64).all():
        yield problem.replace(bias=np.zeros_like(problem.bias))
    for name in ("features", "weight", "bias"):
        yield from _rounder(problem, name)


def _halves(number: int) -> Iterator[Array]:
    """The first half of some places, the second, and all but one of them where they are few."""
    if number < 2:
        return
    everything = np.arange(number)
    yield everything[: number // 2]
    yield everything[number // 2 :]
    if 2 < number <= 8:
        yield from (np.delete(everything, place) for place in everything)


def _fewer_classes(problem: LayerProblem) -> Iterator[LayerProblem]:
    used = np.unique(problem.targets[problem.targets != problem.objective.ignore_index])
    for places in _halves(problem.n_classes):
        if len(places) > 1 and np.isin(used, places).all():
            new = np.full(problem.n_classes, -1)
            new[places] = np.arange(len(places))
            ignored = problem.targets == problem.objective.ignore_index
            labels = np.where(ignored, problem.targets, new[np.where(ignored, places[0], problem.targets)])
            bias = None if problem.bias is None else problem.bias[places]
            yield problem.replace(weight=problem.weight[:, places], bias=bias, targets=labels)


def _rounder(problem: LayerProblem, name: str) -> Iterator[LayerProblem]:
    """Whole numbers, or one digit, in place of what there is."""
    array = getattr(problem, name)
    if array is None:
        return
    values = getattr(problem, f"{name}64")
    finite = np.isfinite(values)
    for digits in (0, 1):
        rounded = np.where(finite, np.round(np.where(finite, values, 0.0), digits), values).astype(array.dtype)
        if not np.array_equal(rounded, array):
            yield problem.replace(**{name: rounded})
