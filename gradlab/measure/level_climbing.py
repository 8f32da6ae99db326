"""The rows of few levels on which an implementation is least accurate, by hill climbing on its error in ULP.

Such a row is so many classes at each of a few logits: K up to 2^20, and its truth costs next to nothing. Depths are
drawn at the places where a sum loses terms, or terms their digits; then counts, depths, the label's level, K and the
number of rows are changed, and what has the largest error of a part, for each size of K, is changed further.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.measure.accuracy import PARTS, errors_on
from gradlab.problems.dtypes import Format, as_dtype, format_of
from gradlab.problems.problem import Problem

MAX_CLASSES = 2**20
MAX_LEVELS = 12
KEPT = 6  # of each part and size
FRESH = 0.3  # the share of rows that are drawn again
COSTLY = 2**16  # classes from which rows are changed, or drawn, a third as often: each takes as long as twenty others


@dataclass(frozen=True)
class Levels:
    """Rows all alike: counts[i] classes at logits[i], in this order; the label is the first class of level `label`."""

    dtype: str
    counts: tuple[int, ...]
    logits: tuple[float, ...]
    label: int
    n_rows: int = 1

    @property
    def n_classes(self) -> int:
        return sum(self.counts)

    @property
    def problem(self) -> Problem:
        row = np.repeat(np.array(self.logits), self.counts).astype(as_dtype(self.dtype))
        label = sum(self.counts[: self.label])
        return Problem(np.tile(row, (self.n_rows, 1)), np.full(self.n_rows, label), family="levels")

    def encoded(self) -> dict[str, Any]:
        """As plain data; the logits in hexadecimal."""
        levels = [[count, logit.hex()] for count, logit in zip(self.counts, self.logits, strict=True)]
        return {"levels": levels, "label_level": self.label, "rows": self.n_rows}


def decoded(dtype: str, plain: dict[str, Any]) -> Levels:
    """The levels written as plain data."""
    counts, logits = zip(*plain["levels"], strict=True)
    return Levels(dtype, tuple(counts), tuple(map(float.fromhex, logits)), plain["label_level"], plain["rows"])


@dataclass(frozen=True)
class Found:
    """Rows and the largest error of one part on them, in ULP."""

    levels: Levels
    ulp: float


@dataclass(eq=False)
class LevelClimb:
    """A search that goes on as long as steps are asked for; the same for the same seed."""

    implementation: Implementation
    dtype: str
    seed: int
    most_classes: int = MAX_CLASSES
    kept: dict[tuple[int, str], list[Found]] = field(default_factory=dict)
    n_tried: int = 0

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def step(self) -> None:
        """One more row: drawn, or changed from one of those kept."""
        parents = [one for some in self.kept.values() for one in some]
        if not parents or self._rng.random() < FRESH:
            self.keep(draw(self.dtype, self.most_classes, self._rng))
        else:
            parent = parents[self._rng.integers(len(parents))]
            if parent.levels.n_classes > COSTLY and self._rng.random() < 2 / 3:
                parent = parents[self._rng.integers(len(parents))]
            self.keep(change(parent.levels, self.most_classes, self._rng))

    def keep(self, levels: Levels) -> None:
        """Asks for the answer, and keeps the rows where it is among the least accurate of their size."""
        self.n_tried += 1
        size = levels.n_classes.bit_length()
        for part, errors in errors_on(self.implementation, levels.problem).items():
            some = self.kept.setdefault((size, part), [])
            some.append(Found(levels, float(np.max(errors, initial=0.0))))
            some.sort(key=lambda one: -one.ulp)
            del some[KEPT:]

    def worst(self, sizes: range = range(2, MAX_CLASSES + 1)) -> dict[str, Found]:
        """The largest error of each part that was found with such numbers of classes."""
        every = {part: [one for (_, of), some in self.kept.items() if of == part for one in some] for part in PARTS}
        these = {part: [one for one in some if one.levels.n_classes in sizes] for part, some in every.items()}
        return {part: max(some, key=lambda one: one.ulp) for part, some in these.items() if some}


def draw(dtype: str, most_classes: int, rng: np.random.Generator) -> Levels:
    """One or a few logits at 0, and one to four levels below, most of them at one of `edges`."""
    n_classes = drawn_size(most_classes, rng)
    edges = edges_of(format_of(dtype), n_classes)
    n_levels, kind = int(rng.integers(1, 5)), rng.random()
    depths = [_depth(edges, rng) for _ in range(n_levels)]
    if kind < 0.4:  # all of them from one edge on
        depths = [depths[0] + more for more in (0.0, *rng.exponential(2.0, n_levels - 1).tolist())]
    elif kind < 0.6:  # a geometric tail
        step = float(rng.uniform(0.2, 4.0))
        depths = [depths[0] + i * step for i in range(int(rng.integers(2, MAX_LEVELS)))]
    counts = [1 if rng.random() < 0.8 else int(rng.integers(1, 4)), *_shares(n_classes, len(depths), rng)]
    up = 0.0 if rng.random() < 0.6 else float(rng.normal(0, 10.0 ** rng.uniform(-2, 2)))
    logits = [up, *(up - depth * math.log(2) for depth in depths)]
    label = 0 if rng.random() < 0.4 else int(rng.integers(len(counts)))
    return _tidy(Levels(dtype, tuple(counts), tuple(logits), label, _rows(rng)), most_classes)


def change(levels: Levels, most_classes: int, rng: np.random.Generator) -> Levels:
    """The rows with one thing changed: a depth a little, much or to an edge; a count; the label; K; a level; N."""
    fmt, kind, place = format_of(levels.dtype), rng.integers(8), int(rng.integers(len(levels.counts)))
    counts, logits = list(levels.counts), list(levels.logits)
    if kind == 0:
        steps = int(rng.integers(-8, 9))
        logits[place] += steps * max(abs(logits[place]), fmt.smallest_normal) * 2 * fmt.unit_roundoff
    elif kind == 1:
        logits[place] += float(rng.normal(0, 10.0 ** rng.uniform(-5, 0.5)))
    elif kind == 2:
        logits[place] = max(logits) - _depth(edges_of(fmt, levels.n_classes), rng) * math.log(2)
    elif kind == 3:
        counts[place] = max(1, counts[place] + int(rng.integers(-3, 4)))
    elif kind == 4:
        factor = (drawn_size(most_classes, rng) if rng.random() < 0.3 else levels.n_classes * 2) / levels.n_classes
        counts = [max(1, round(count * factor)) if count > 1 else 1 for count in counts]
    elif kind == 5:
        return replace(levels, label=place)
    elif kind == 6:
        return replace(levels, n_rows=_rows(rng))
    elif len(counts) < MAX_LEVELS:
        counts.append(max(1, counts[place] // int(rng.integers(1, 5))))
        logits.append(logits[place] - float(rng.exponential(2.0)))
    return _tidy(replace(levels, counts=tuple(counts), logits=tuple(logits)), most_classes)


def edges_of(fmt: Format, n_classes: int) -> list[float]:
    """-log2 of terms that are about to be lost: beside 1, K and small multiples, alone or all together; or to vanish.

    Thresholds in the sum, such as a power of it, are met by the depths between, which `_depth` draws.
    """
    size, last, normal = math.log2(n_classes), float(fmt.precision), -float(fmt.min_exponent)
    words = math.ceil(size)
    beside = [last, *(last - words - i for i in range(-1, 4))]
    together = [size + share * last for share in (0.25, 0.5, 1.0, 1.5, 2.0)]
    vanishing = [normal, normal + size / 2, normal + size, normal - 10, normal - 10 + size, normal + last]
    return [edge for edge in (*beside, *together, *vanishing) if edge > 0]


def drawn_size(most_classes: int, rng: np.random.Generator) -> int:
    """A number of classes from 2 on, of every size; half of them a power of two, one more, one or two less."""
    bits = rng.uniform(1, math.log2(most_classes))
    if bits > math.log2(COSTLY) and rng.random() < 2 / 3:
        bits = rng.uniform(1, math.log2(most_classes))
    size = round(2.0**bits) if rng.random() < 0.5 else 2 ** round(bits) + int(rng.choice([-2, -1, 0, 0, 1]))
    return int(min(max(size, 2), most_classes))


def _depth(edges: list[float], rng: np.random.Generator) -> float:
    """A depth in bits: just above or below an edge, near it, or anywhere."""
    edge, kind = float(rng.choice(edges)), rng.integers(4)
    if kind == 3:
        return float(rng.uniform(0, max(edges) + 2))
    return max(0.0, edge + float(rng.normal(0, (0.02, 0.3, 2.0)[kind])))


def _shares(n_classes: int, n_levels: int, rng: np.random.Generator) -> list[int]:
    """About n_classes in all: as many at each level, or in drawn parts."""
    parts = np.ones(n_levels) if rng.random() < 0.5 else 2.0 ** rng.uniform(-12, 0, n_levels)
    return [max(1, int(part)) for part in parts / parts.sum() * n_classes]


def _rows(rng: np.random.Generator) -> int:
    return int(rng.choice([1, 1, 1, 2, 3]))


def _tidy(levels: Levels, most_classes: int) -> Levels:
    """The same with logits that are finite in the dtype, and two classes up to so many: largest counts are cut."""
    rounded = np.array(levels.logits).astype(as_dtype(levels.dtype)).astype(np.float64)
    counts, logits = list(levels.counts)[:most_classes], np.nan_to_num(rounded).tolist()[:most_classes]
    while (over := sum(counts) - most_classes) > 0:
        largest = counts.index(max(counts))
        counts[largest] -= min(over, counts[largest] - 1)
    counts[0] += max(0, 2 - sum(counts))
    label = min(levels.label, len(counts) - 1)
    return replace(levels, counts=tuple(counts), logits=tuple(logits), label=label)
