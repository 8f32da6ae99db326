"""Families of rows whose sum has many small terms: equal, at few levels, falling, or with noise.

A sum of K terms loses what is below half its last place, and one of subnormal terms loses a share of each: what is lost
then grows with K. So the terms are put where each, or all together, are about to be lost: beside 1, beside a sum as
large as K, among the subnormal numbers; and the label on the large terms, on the small ones, or between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradlab.problems.dtypes import Format
from gradlab.problems.families.placing import make_problem
from gradlab.problems.problem import Array, Problem, moderate_limit

# Around the powers of two at which words, blocks and cuts change, and as many classes as some language models have.
LONG = (4095, 16385, 32000, 2**15 - 2, 50257, 2**16, 2**17 - 2, 2**17)
LONGEST = (128256, 2**17 + 1, 2**18 - 1, 2**19 + 1, 2**20)

Level = tuple[int, float]  # how many classes, and -log2 of their term beside the largest, which is 1


@dataclass(frozen=True, eq=False)
class Row:
    """The logits of one row and its label."""

    logits: Array
    label: int


def equal_tails(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """One logit above many equal ones, each of which a sum of their number, or of 1, is about to lose."""
    return [
        together(fmt, tails_at_the_last_place(fmt, n, rng)[:rows]) for n, rows in ((65, 3), (300, 7), (2**13 - 1, 4))
    ]


def levels_of_equals(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Logits at two to twelve levels, many at each, with the label at each of them."""
    return [together(fmt, rows_of_levels(fmt, n, rng)[:rows]) for n, rows in ((64, 8), (1000, 5), (8193, 3))]


def vanishing_tails(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """One logit above many equal ones whose terms, or whose sum, are just above or below subnormal."""
    return [together(fmt, tails_about_to_vanish(fmt, n, rng)[:rows]) for n, rows in ((33, 8), (1000, 5), (4096, 7))]


def noisy_tails(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """One logit above many that scatter around a mean far below, as those of a confident model do."""
    return [together(fmt, noise_under_one(fmt, n, rng)[:rows]) for n, rows in ((100, 3), (2**13 + 1, 2))]


def long_tails(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """All of these rows with as many classes as language models have, around powers of two, up to 2^17."""
    return [problem for n_classes in LONG for problem in _every_kind(fmt, n_classes, rng)]


def longest_tails(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Two rows of each of up to 2^20 classes: what the last place decides, and one of the other kinds in turns."""
    rows = [(kinds[0][0], kinds[1 + i % 3][i]) for i, kinds in enumerate(_kinds(fmt, n, rng) for n in LONGEST)]
    return [together(fmt, pair) for pair in rows]


def _every_kind(fmt: Format, n_classes: int, rng: np.random.Generator) -> list[Problem]:
    """Some rows of every kind, drawn, in batches of three, two and one; first what the last place decides."""
    edge, *others = _kinds(fmt, n_classes, rng)
    rest = [rows[rng.integers(len(rows))] for rows in others]
    return [together(fmt, edge[:3]), together(fmt, rest[:2]), together(fmt, rest[2:])]


def _kinds(fmt: Format, n_classes: int, rng: np.random.Generator) -> list[list[Row]]:
    return [kind(fmt, n_classes, rng) for kind in KINDS]


def tails_at_the_last_place(fmt: Format, n_classes: int, rng: np.random.Generator) -> list[Row]:
    """Terms just below half the last place of a sum of size K, 2 K, 4 K and 1, label on one of them, then on the top.

    Then terms just above, and terms that together are as large as half the last place of 1.
    """
    size, last, little = math.ceil(math.log2(n_classes)), fmt.precision, beside(fmt)
    edges = [last - size - 1, last - size, last - size - 2, last]
    below = [edge + little for edge in edges]
    above = [edge - little for edge in edges]
    depths = [*below, *below, *above, last + size, last / 2 + size, 1.5 * last + size, 2 * last + size]
    labels = [1] * 4 + [0] * 4 + [1] * 4 + [0, 1, 0, 1]
    pairs = [(depth, label) for depth, label in zip(depths, labels, strict=True) if depth > 1]
    return [row_with_levels(n_classes, [(1, 0.0), (n_classes, depth)], label, rng) for depth, label in pairs]


def rows_of_levels(fmt: Format, n_classes: int, rng: np.random.Generator) -> list[Row]:
    """A runner-up at each distance; several at the top; three levels of many; twelve, each with twice as many."""
    last, size, little = float(fmt.precision), math.log2(n_classes), beside(fmt)
    some, many = max(1, n_classes // 7), max(1, n_classes // 3)
    doubled = [(2**i, float(i)) for i in range(12) if 2**i < n_classes / 2] or [(1, 0.0)]
    distance = rng.uniform(0.1, last)
    levels: list[tuple[list[Level], int]] = [
        ([(1, 0.0), (1, distance), (n_classes, distance + size)], 0),
        ([(1, 0.0), (some, last - size), (n_classes, last)], 2),
        ([(1, 0.0), (many, last - size - 1 + little), (n_classes, 1.5 * last)], 1),
        ([(1, 0.0), (1, distance), (n_classes, last - size)], 1),
        ([(2, 0.0), (n_classes, last - size)], 0),
        ([(many, 0.0), (n_classes, last)], 1),
        ([*doubled, (n_classes, last)], len(doubled) // 2),
        ([(1, 0.0), (many, last / 2), (n_classes, last)], 0),
    ]
    return [row_with_levels(n_classes, [(n, max(d, 0.0)) for n, d in own], label, rng) for own, label in levels]


def tails_about_to_vanish(fmt: Format, n_classes: int, rng: np.random.Generator) -> list[Row]:
    """Sums just above and below the smallest normal number, and K and 1024 K times that; terms around the smallest."""
    normal, size, little = -float(fmt.min_exponent), math.log2(n_classes), beside(fmt)
    least = normal + fmt.precision - 1
    sums = [normal - 1 + size, normal + size - little, normal + size + little]
    terms = [normal + little, normal - 10 + little, least - little, least + 1 - little, normal - little]
    return [
        row_with_levels(n_classes, [(1, 0.0), (n_classes, depth)], int(i % 4 == 3), rng)
        for i, depth in enumerate([*sums, *terms, least + 1 + little])
    ]


def noise_under_one(fmt: Format, n_classes: int, rng: np.random.Generator) -> list[Row]:
    """Logits of spread 0.5 under one at 0, whose terms together are 2^-10 to 2^-35; and a geometric tail."""
    rows = []
    for place, sums in enumerate(rng.uniform(10, 35, 4)):
        logits = rng.normal(-(sums + math.log2(n_classes)) * math.log(2), 0.5, n_classes)
        logits[0] = 0.0
        rows.append(Row(logits, int(rng.integers(1, n_classes)) if place % 2 == 0 else 0))
    reach = fmt.precision - fmt.min_exponent + 4.0
    falling = -np.arange(n_classes) * (reach * math.log(2) / n_classes)
    return [*rows, Row(falling, 0), Row(falling, n_classes // 4)]


def row_with_levels(n_classes: int, levels: Sequence[Level], label: int, rng: np.random.Generator) -> Row:
    """A row with these levels, highest first, the last for all that are left; the label is at level `label`.

    Where the classes do not suffice the last levels go short, but each that comes before one has at least one class.
    """
    ends = np.minimum(np.cumsum([count for count, _ in levels]), n_classes)
    ends = np.minimum(ends, n_classes - np.arange(len(levels))[::-1])
    counts = np.diff(ends, prepend=0)
    logits = np.repeat([-bits * math.log(2) for _, bits in levels], counts)
    turn = int(rng.integers(n_classes))
    return Row(np.roll(logits, turn), int(ends[label] - 1 + turn) % n_classes)


def beside(fmt: Format) -> float:
    """Bits by which a term lies below, or above, a power of two: as many as its logit has, where those are few."""
    return max(0.02, 128 * fmt.unit_roundoff)


def together(fmt: Format, rows: Sequence[Row]) -> Problem:
    """A batch of these rows, all moved up by a power of two.

    So that they are not moderate: what such rows are for is how large an error is, and the checks that call an
    implementation many times on moderate logits would take minutes for 2^17 classes.
    """
    up = 2.0 ** math.ceil(math.log2(moderate_limit(fmt, 2) + 1))
    return make_problem(fmt, np.stack([row.logits for row in rows]) + up, [row.label for row in rows])


KINDS = (tails_at_the_last_place, rows_of_levels, tails_about_to_vanish, noise_under_one)
