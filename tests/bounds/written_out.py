"""The bounds of `tolerances` as their docstrings state them, one row and one number at a time, written a second time.

Here beta is 4 and every other constant is a number; `row_of` is for logits without a map.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from gradlab.problems.coefficients import coefficients_of, denominator_of, unsmoothed_coefficients_of
from gradlab.problems.dtypes import Format
from gradlab.problems.problem import Problem


@dataclass(frozen=True)
class Unit:
    """What a format's roundings carry."""

    fmt: Format

    @property
    def v(self) -> float:
        return self.fmt.unit_roundoff / (1 - 32 * self.fmt.unit_roundoff)

    @property
    def eta(self) -> float:
        return self.fmt.smallest_subnormal

    @property
    def base(self) -> float:
        """b: 2 in float32 and float64; two roundings of float32 below."""
        return 2.0 if self.fmt.name in ("float32", "float64") else 2 * 2.0**-24 / self.fmt.unit_roundoff

    @property
    def vanishes(self) -> float:
        """Where exp is an eighth of the smallest subnormal number."""
        return math.log(8) - math.log(self.fmt.smallest_subnormal)

    def gamma(self, carried: float) -> float:
        return math.expm1(min(carried * self.v, 700.0))

    def sums(self, count: int) -> float:
        """n: a rounding for each term; below float32 those of float32, and one of the sum."""
        if self.fmt.name in ("float32", "float64"):
            return float(count)
        return count * 2.0**-24 / self.fmt.unit_roundoff + 1


@dataclass(frozen=True)
class Row:
    """What is known of one row; lists over its classes.

    gaps: lse - x_j; n: what a sum of its classes carries; last: 1 + division; moved: what the maps of logits carry.
    """

    unit: Unit
    d: list[float]
    gaps: list[float]
    p: list[float]
    rises: list[int]
    t: list[float]
    delta: list[float]
    log_sum: float
    largest: float
    of_mass: float
    last: float
    moved: list[float] = field(default_factory=list)

    @property
    def mass(self) -> float:
        return sum(self.t)

    @property
    def n(self) -> float:
        return self.unit.sums(len(self.p))

    @property
    def loss(self) -> float:
        return sum(t * gap for t, gap in zip(self.t, self.gaps, strict=True) if t)


def row_of(problem: Problem, row: int, radius: float = 0.0) -> Row:
    """The row's sizes; at a radius r, the largest that they can be within it."""
    unit, x = Unit(problem.format), problem.logits64[row].tolist()
    top = max(x)
    total = sum(math.exp(one - top) for one in x)
    p = [min(math.exp(one - top) * math.exp(min(2 * radius, 700.0)) / total, 1.0) for one in x]
    rises = [sum(x[k] > max(x[:k]) - 2 * radius for k in range(j + 1, len(x))) for j in range(len(x))]
    largest = float(np.abs(problem.logits64[np.isfinite(problem.logits64)]).max()) + radius
    t = coefficients_of(problem)[row].tolist()
    soft = problem.objective.targets == "probability" or problem.objective.label_smoothing > 0
    return Row(
        unit,
        [top - one + 2 * radius for one in x],
        [math.log(total) + top - one + 2 * radius for one in x],
        p,
        rises,
        t,
        delta_of(problem, row),
        math.log(total) + 2 * radius,
        largest,
        unit.sums(len(x)) if soft else 0.0,
        1 + division(problem),
    )


def delta_of(problem: Problem, row: int) -> list[float]:
    """The errors of the row's coefficients."""
    objective, unit = problem.objective, Unit(problem.format)
    t, plain = coefficients_of(problem)[row].tolist(), unsmoothed_coefficients_of(problem)[row].tolist()
    if objective.label_smoothing == 0 and objective.class_weights is None:
        return [0.0] * len(t)
    weights = objective.class_weights or (1.0,) * len(t)
    return [
        (unit.gamma(6) * one + 3 * unit.v * objective.label_smoothing * other + 3 * unit.eta * (1 + w)) if one else 0.0
        for one, other, w in zip(t, plain, weights, strict=True)
    ]


def division(problem: Problem) -> float:
    """What the division by the denominator carries."""
    objective = problem.objective
    if objective.reduction != "mean":
        return 0.0
    weighted = objective.class_weights is not None and objective.targets == "index"
    sampled = objective.sample_weights is not None
    if objective.mean_over != "sum_of_weights" or not (weighted or sampled):
        return 3.0
    return 3 + Unit(problem.format).sums(problem.n_rows) + 1 + 2 * sampled


def divided_by(problem: Problem) -> float:
    return denominator_of(problem) or 1.0


def carried(row: Row) -> list[float]:
    """k_j."""
    unit, b, n_classes = row.unit, row.unit.base, len(row.p)
    d = [min(one, unit.vanishes) for one in row.d]
    moved = row.moved or [0.0] * n_classes
    shifts = [(b + 1) * dj + 9 * r + m for dj, r, m in zip(d, row.rises, moved, strict=True)]
    grown = [math.expm1(min(unit.v * one, 700.0)) for one in shifts]
    weighted = sum(p * g for p, g in zip(row.p, grown, strict=True)) / unit.v
    s = row.n + 8 + weighted + n_classes * 10 * unit.eta / unit.v
    return [s + 8 + (b + 2) * dj + (8 + b + 1) * row.log_sum + 1 + m for dj, m in zip(d, moved, strict=True)]


def carried_by_any_form(row: Row) -> list[float]:
    """k_j and what is off without a shift, in an entry of the gradient."""
    b = row.unit.base
    more = (8 + b + 1) * (row.largest + row.log_sum) + b * row.largest
    return [k + more for k in carried(row)]


def gradient(problem: Problem, row: Row, k: list[float]) -> list[float]:
    """The error of each entry, given what its probability carries."""
    unit, missed, g = row.unit, sum(row.delta), row.unit.gamma
    found = []
    for j, (p, t, delta) in enumerate(zip(row.p, row.t, row.delta, strict=True)):
        own = g(k[j] + 1 + row.of_mass + row.last) * (row.mass + missed) * p
        others = sum(g(k[i] + row.n + 2 + row.last) * row.p[i] for i in range(len(k)) if i != j) * (t + delta)
        size = g(row.last) * abs(row.mass * p - t)
        underflow = (5 * (row.mass + len(k) * t) + 1) * unit.eta
        error = own + others + size + missed * p + delta + underflow
        found.append(error / divided_by(problem) + 2 * unit.eta)
    return found


def loss(row: Row, k: list[float], largest: float) -> float:
    """The error of the row's own loss; largest: beyond which a loss counts no further."""
    unit, last = row.unit, 10 + row.of_mass
    own = sum(unit.gamma(kj + last) * (t + e) for kj, t, e in zip(k, row.t, row.delta, strict=True))
    missed = sum(e * min(row.log_sum + d, largest) for e, d in zip(row.delta, row.d, strict=True) if e)
    underflow = (5 * (1 + row.mass) + len(k)) * unit.eta
    return own + unit.gamma(last) * min(row.loss, largest) + missed + underflow
