"""The logits on which an implementation is least accurate, by hill climbing on its error in ULP, row by row.

Rows are drawn at several scales, margins and numbers of classes; those with the largest errors of the loss, the
target's entry and the others are kept and changed by a few ULP, by noise, by ties and by offsets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.measure.accuracy import PARTS, LargestError, errors_on
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.placing import underflows
from gradlab.problems.problem import Array, Problem

CLASSES = (2, 3, 4, 7, 10, 33, 100)
KEPT = 24  # rows of each part and number of classes that are changed further
CHILDREN = 128  # of one generation, for each number of classes
OF_ONE_GENERATION = CHILDREN * len(CLASSES)


@dataclass(frozen=True, eq=False)
class Row:
    """One row of logits and its label, with its error in ULP."""

    logits: Array
    label: int
    ulp: float

    @property
    def problem(self) -> Problem:
        """The row as a batch of one."""
        return Problem(self.logits[None, :], np.array([self.label]))


@dataclass(eq=False)
class Climb:
    """A search that goes on as long as generations are asked for; the same for the same seed."""

    implementation: Implementation
    dtype: str
    seed: int
    kept: dict[tuple[int, str], list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def keep(self, row: Row, part: str) -> None:
        """Adds a row to those that are changed further for a part."""
        self.kept.setdefault((len(row.logits), part), []).append(row)

    def generation(self) -> None:
        """New rows and changed ones, for every number of classes; the worst of all are kept."""
        for classes in CLASSES:
            parents = [row for part in PARTS for row in self.kept.get((classes, part), ())]
            for logits, label in self._children(parents, classes):
                for part, ulp in errors_of_row(self.implementation, logits, label).items():
                    self.keep(Row(logits, label, ulp), part)
            for part in PARTS:
                self.kept[classes, part] = sorted(self.kept[classes, part], key=lambda row: -row.ulp)[:KEPT]

    def worst(self) -> dict[str, Row]:
        """The row with the largest error of each part, after at least one generation."""
        return {
            part: max((row for (_, of), rows in self.kept.items() if of == part for row in rows), key=lambda r: r.ulp)
            for part in PARTS
        }

    def _children(self, parents: list[Row], classes: int) -> Iterator[tuple[Array, int]]:
        rng = self._rng
        for _ in range(CHILDREN):
            if not parents or rng.random() < 0.25:
                yield _draw(self.dtype, classes, rng)
            else:
                parent = parents[rng.integers(len(parents))]
                label = parent.label if rng.random() < 0.95 else int(rng.integers(classes))
                yield _change(parent.logits, rng), label


def climb(implementation: Implementation, dtype: str, generations: int, seed: int) -> dict[str, LargestError]:
    """The largest error of each part after so many generations."""
    climb = Climb(implementation, dtype, seed)
    for _ in range(generations):
        climb.generation()
    return {part: LargestError(row.ulp, row.problem) for part, row in climb.worst().items()}


def errors_of_row(implementation: Implementation, logits: Array, label: int) -> dict[str, float]:
    """The largest error in ULP of each part, for a batch of one row."""
    problem = Row(logits, label, 0.0).problem
    return {part: float(np.max(errors, initial=0)) for part, errors in errors_on(implementation, problem).items()}


def _draw(dtype: str, classes: int, rng: np.random.Generator) -> tuple[Array, int]:
    """A row of some scale, with some margin of the target, or next to where exponentials of this format underflow."""
    fmt = format_of(dtype)
    last = underflows(fmt)
    logits = rng.normal(0, 10.0 ** rng.uniform(-3, 3), classes)
    label = int(rng.integers(classes))
    if rng.random() < 0.6:
        margin = rng.uniform(-1.1, 1.1) * last if rng.random() < 0.5 else np.exp(rng.uniform(-20, np.log(last)))
        others = np.delete(logits, label).max(initial=0.0)
        logits[label] = others + margin
    if rng.random() < 0.2:
        coarse = min(fmt.precision + 6, math.log2(fmt.largest) - 1)  # logits of that size are 64 apart: log K is lost
        logits += 2.0 ** rng.uniform(0, coarse) * rng.choice([-1, 1])
    return logits.astype(fmt.dtype), label


def _change(logits: Array, rng: np.random.Generator) -> Array:
    """The row with one or all of its logits changed: by ULP, by noise, to that of another class, by an offset."""
    row, kind = logits.copy(), rng.integers(4)
    place = rng.integers(len(row))
    if kind == 0:
        for _ in range(int(rng.integers(1, 9))):
            row[place] = np.nextafter(row[place], row.dtype.type(rng.choice([-np.inf, np.inf])))
    elif kind == 1:
        row[place] += row.dtype.type(rng.normal(0, 10.0 ** rng.uniform(-6, 1)))
    elif kind == 2:
        row[place] = row[rng.integers(len(row))]
    else:
        row += row.dtype.type(rng.normal(0, 10.0 ** rng.uniform(-6, 2)))
    return row if np.isfinite(row).all() else logits
