"""Rows that use up the most of each inequality: drawn at the thresholds of the algorithm, and changed where they do.

A row has a few levels of equal logits, so many classes cost no more than few. Its levels lie at random depths, in a
geometric tail, or where so many equal terms together come to a number at which the computation takes another way.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from gradlab.problems.dtypes import format_of
from tools.lemmas.row import Array, Row
from tools.lemmas.trace import NotLevelError

KEPT = 8  # rows of each inequality that are changed further
LARGEST = 2**20  # classes, and entries of a batch
FEW = 64  # entries of a batch up to which sums are taken by math.fsum
POWERS = tuple(2**power for power in range(5, 21))
KNOWN_SIZES = (1000, 16_382, 32_000, 50_257, 128_256)

Examine = Callable[[Row], Mapping[str, float]]


@dataclass(frozen=True)
class Largest:
    """The largest part of an inequality that was used, and by which row."""

    used: float
    row: Row


@dataclass
class Search:
    """Goes on as long as it is told to; the same for the same seed."""

    examine: Examine
    dtype: str
    seed: int
    kept: dict[str, list[Largest]] = field(default_factory=dict)
    n_rows: int = 0
    n_uneven: int = 0

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def look(self, row: Row) -> None:
        """Examines a row, and keeps it where it uses up more of an inequality than others."""
        self.n_rows += 1
        try:
            found = self.examine(row)
        except NotLevelError:
            self.n_uneven += 1
            return
        for name, ratio in found.items():
            best = self.kept.setdefault(name, [])
            if len(best) < KEPT or ratio > best[-1].used:
                best.append(Largest(ratio, row))
                best.sort(key=lambda one: -one.used)
                del best[KEPT:]

    def go_on(self, seconds: float) -> None:
        """New rows a third of the time, changed ones otherwise."""
        stop = time.monotonic() + seconds
        while time.monotonic() < stop:
            names = sorted(self.kept)
            if not names or self._rng.random() < 1 / 3:
                self.look(draw(self.dtype, self._rng))
                continue
            best = self.kept[names[int(self._rng.integers(len(names)))]]
            row = change(best[int(self._rng.integers(len(best)))].row, self._rng)
            if row is not None:
                self.look(row)

    def largest(self) -> dict[str, Largest]:
        """The row of each inequality that used up most."""
        return {name: best[0] for name, best in sorted(self.kept.items())}


def draw(dtype: str, rng: np.random.Generator) -> Row:
    """A new row."""
    n_classes = _number_of_classes(rng)
    counts = _counts(n_classes, rng)
    depths = np.sort([_depth(dtype, int(count), n_classes, rng) for count in counts[1:]])
    if rng.random() < 0.15:  # all the others together, and far
        depths = rng.uniform(0.8, 1.02) * _deepest(dtype) + rng.exponential(2.0) * np.arange(len(depths))
    top = rng.choice([0.0, rng.uniform(-1, 1), rng.uniform(-1, 1) * 2.0 ** rng.uniform(-40, 10)])
    row = _row_of(dtype, np.concatenate([[top], top - depths]), counts, rng)
    return row if row is not None else draw(dtype, rng)


def _number_of_classes(rng: np.random.Generator) -> int:
    kind = rng.random()
    if kind < 0.5:
        return int(rng.integers(2, 40))
    if kind < 0.85:
        return int(2 ** rng.uniform(5, 13))
    if kind < 0.95:
        return int(rng.choice(POWERS[:12]) + rng.integers(-3, 2))
    return int(min(LARGEST, rng.choice(np.array([*POWERS, *KNOWN_SIZES])) + rng.integers(-3, 2)))


def _counts(n_classes: int, rng: np.random.Generator) -> Array:
    """Of the top level, 1 as a rule, and of the others."""
    n_levels = n_classes if n_classes < 40 and rng.random() < 0.5 else min(n_classes, int(rng.integers(2, 6)))
    if n_levels == n_classes:
        return np.ones(n_levels, int)
    top = 1 if rng.random() < 0.8 else int(rng.integers(1, n_classes - n_levels + 2))
    shares = rng.dirichlet(np.full(n_levels - 1, rng.choice([0.2, 1.0])))
    others = 1 + np.floor(shares * (n_classes - top - (n_levels - 1))).astype(int)
    others[-1] += n_classes - top - others.sum()
    return np.concatenate([[top], others])


def _depth(dtype: str, count: int, n_classes: int, rng: np.random.Generator) -> float:
    """How far a level lies below the top."""
    kind = rng.integers(5)
    if kind == 0:
        return float(rng.uniform(0, _deepest(dtype)))
    if kind == 1:
        return float(rng.exponential(3.0))
    if kind == 2:
        return float(2.0 ** rng.uniform(-60, 6))
    if kind == 3:
        return float(rng.integers(1, 60) * rng.uniform(0.5, 2))
    together = float(rng.choice(thresholds(dtype, n_classes)))  # what so many equal terms come to
    return float(max(0.0, math.log(count) - math.log(together) + rng.normal(0, 0.5)))


def _deepest(dtype: str) -> float:
    """Where exp is half the smallest subnormal number."""
    fmt = format_of(dtype)
    return math.log(2.0) * (fmt.precision - fmt.min_exponent)


def thresholds(dtype: str, n_classes: int) -> Array:
    """Numbers at which a sum of terms is cut, taken again or in parts, or at which terms round away or underflow."""
    fmt = format_of(dtype)
    u, normal = fmt.unit_roundoff, fmt.smallest_normal
    cut = 2.0 ** (n_classes + 2).bit_length()
    sums = [u * cut, u, 1.0, 2.0**-43 * min(cut, 2.0**30) ** 3, 2.0**-34 * cut**2, n_classes * 2.0**-19]
    return np.array([*sums, 2.0**-24, 2.0**-27, 1024 * n_classes * normal, normal, 2 * u * normal * n_classes])


def change(row: Row, rng: np.random.Generator) -> Row | None:
    """The row with a level, a count, the label or the number of rows changed; None where that leaves no row."""
    levels, counts = np.array(row.levels), np.array(row.counts)
    kind, place = rng.integers(6), int(rng.integers(len(levels)))
    if kind == 0:
        steps = int(rng.integers(1, 2 ** rng.integers(1, 12))) * int(rng.choice([-1, 1]))
        levels[place] += steps * np.spacing(np.asarray(levels[place], row.dtype))
    elif kind == 1:
        levels[place] += rng.normal(0, 10.0 ** rng.uniform(-8, 1))
    elif kind == 2:
        levels += rng.normal(0, 10.0 ** rng.uniform(-8, 1))
    elif kind == 3:
        counts[place] = max(1, counts[place] + int(rng.integers(-3, 4)))
    elif kind == 4:
        return replace(row, label_level=place)
    else:
        return replace(row, n_rows=_number_of_rows(row.n_classes, rng))
    return _row_of(row.dtype, levels, counts, rng, row)


def _row_of(dtype: str, levels: Array, counts: Array, rng: np.random.Generator, like: Row | None = None) -> Row | None:
    """A row, its levels rounded to the dtype; None where two of them are the same then, or classes are too many."""
    rounded = levels.astype(dtype).astype(np.float64)
    if len(set(rounded.tolist())) < len(rounded) or not 2 <= counts.sum() <= LARGEST or not np.isfinite(rounded).all():
        return None
    label = int(rng.integers(len(levels))) * int(rng.integers(2)) if like is None else like.label_level
    n_rows = _number_of_rows(int(counts.sum()), rng) if like is None else like.n_rows
    if n_rows * counts.sum() > LARGEST:
        return None
    return Row(dtype, tuple(rounded.tolist()), tuple(counts.tolist()), label, n_rows)


def _number_of_rows(n_classes: int, rng: np.random.Generator) -> int:
    """One, or as many as make a batch whose sums are cut; a power of two and not."""
    least = 1 if rng.random() < 0.3 else FEW // n_classes + 1
    return max(1, min(least + int(rng.integers(0, 4)), LARGEST // n_classes))
