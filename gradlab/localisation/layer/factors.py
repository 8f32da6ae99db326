"""Numbers that the terms of a layer may be multiplied by, and the words for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gradlab.layer.problem import LayerProblem
from gradlab.localisation.features.feature import BLOCKS
from gradlab.localisation.relations.fitting import spelled

NEAR = 1e-3  # relatively: how far a factor that is read off one problem may be from its own


@dataclass(frozen=True, eq=False)
class Factor:
    """A number that depends on the shape of a problem, or on nothing. size: of the blocks that it counts, or 0."""

    said: str
    value: Callable[[LayerProblem], float]
    size: int = 0


def _counted(problem: LayerProblem) -> float:
    """How many rows are not ignored, at least 1."""
    if problem.objective.targets != "index":
        return float(problem.n_rows)
    return max(float((problem.targets != problem.objective.ignore_index).sum()), 1.0)


FACTORS = (
    Factor("1", lambda one: 1.0),
    Factor("0", lambda one: 0.0),
    Factor("-1", lambda one: -1.0),
    Factor("2", lambda one: 2.0),
    Factor("1/2", lambda one: 0.5),
    Factor("N", lambda one: float(one.n_rows)),
    Factor("1/N", lambda one: 1 / one.n_rows),
    Factor("the number of rows that count", _counted),
    Factor("1 over the number of rows that count", lambda one: 1 / _counted(one)),
    Factor("the share of the rows that count", lambda one: _counted(one) / one.n_rows),
    Factor("N over the number of rows that count", lambda one: one.n_rows / _counted(one)),
    Factor("K", lambda one: float(one.n_classes)),
    Factor("1/K", lambda one: 1 / one.n_classes),
    Factor("D", lambda one: float(one.n_features)),
    Factor("1/D", lambda one: 1 / one.n_features),
    Factor("1 over D K", lambda one: 1 / (one.n_features * one.n_classes)),
    Factor("1 over N K", lambda one: 1 / (one.n_rows * one.n_classes)),
    Factor("N/K", lambda one: one.n_rows / one.n_classes),
    Factor("N/D", lambda one: one.n_rows / one.n_features),
    Factor("N/(N - 1)", lambda one: one.n_rows / max(one.n_rows - 1, 1)),
    Factor("N/(N + 1)", lambda one: one.n_rows / (one.n_rows + 1)),
    Factor("(N - 1)/N", lambda one: (one.n_rows - 1) / one.n_rows),
    Factor("the root of N", lambda one: float(np.sqrt(one.n_rows))),
    Factor("1 over the root of N", lambda one: 1 / float(np.sqrt(one.n_rows))),
    Factor("the penalty's strength", lambda one: one.penalty.strength),
    *(
        Factor(f"the number of blocks of {size} rows", lambda one, size=size: float(-(-one.n_rows // size)), size)  # type: ignore[misc]
        for size in BLOCKS
    ),
)


@dataclass(frozen=True, eq=False)
class Taken:
    """How often a term is taken in the answer to a problem."""

    problem: LayerProblem
    value: float


def factors_for(told: Sequence[Taken]) -> Iterator[Factor]:
    """The factors that are these numbers for these problems, the plainest first; 1 where nothing is told."""
    if not told:
        yield FACTORS[0]
        return
    numbers = (Factor(spelled(digits), _constant(digits)) for digits in _digits(told[0].value))
    for one in (*FACTORS, *numbers):
        if all(abs(one.value(seen.problem) - seen.value) <= NEAR * abs(seen.value) + NEAR**2 for seen in told):
            yield one


def _digits(value: float) -> Sequence[float]:
    return tuple(dict.fromkeys((float(f"{value:.2g}"), float(f"{value:.3g}"), value)))


def _constant(value: float) -> Callable[[LayerProblem], float]:
    return lambda problem: value
