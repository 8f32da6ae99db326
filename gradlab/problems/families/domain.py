"""Families with -inf, +inf and NaN among the logits: rules of the domain, each in a row of its own and in a batch."""

from __future__ import annotations

import numpy as np

from gradlab.problems.dtypes import Format
from gradlab.problems.families.placing import make_problem
from gradlab.problems.problem import Problem

INF, NAN = np.inf, np.nan
TILES = (1, 2, 4, 8, 16, 32, 64, 128)


def masked(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """-inf at classes that are not the target: probability 0, gradient 0, and the rest as if they were not there."""
    return [
        make_problem(fmt, [[0, -INF]], [0]),
        make_problem(fmt, [[0, 0, -INF]], [1]),
        make_problem(fmt, [[-INF, 1, -INF, 0, 2], [0, 1, 2, -INF, -INF], [1, 0, 0, 1, 0]], [3, 0, 4]),
    ]


def masked_tiles(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """-inf in all of a tile, the first, the last or one between, of 1 to 128 classes; or in all classes but one."""
    n_classes = 2 * TILES[-1] + 1
    places = np.arange(n_classes)
    rows = [places < tile for tile in TILES]
    rows += [places >= n_classes - tile for tile in TILES]
    rows += [(places >= tile) & (places < 2 * tile) for tile in TILES]
    rows += [places != n_classes - 1, places != TILES[3], places % 4 < 3]
    masks = np.array(rows)
    logits = np.where(masks, -INF, rng.uniform(-1, 1, masks.shape))
    return [make_problem(fmt, logits, [int(np.flatnonzero(~row)[i % 2 - 1]) for i, row in enumerate(masks)])]


def masked_target(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """-inf at the target: loss +inf, and the target's entry -1 before any division."""
    return [make_problem(fmt, [[0, -INF]], [1]), make_problem(fmt, [[1, -INF, 0], [0, 1, 2]], [1, 1])]


def only_masked(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """A row of nothing but -inf has no value: NaN there, and in no other row."""
    return [make_problem(fmt, [[-INF, -INF]], [0]), make_problem(fmt, [[0, 1, 0], [-INF, -INF, -INF]], [1, 2])]


def infinite(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """A row with +inf, at the target or elsewhere, once or twice, has no value: NaN there, and in no other row."""
    return [
        make_problem(fmt, [[INF, 0]], [0]),
        make_problem(fmt, [[INF, 0]], [1]),
        make_problem(fmt, [[INF, INF, 0], [1, 0, 0]], [1, 0]),
        make_problem(fmt, [[INF, -INF]], [0]),
    ]


def nan(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """A row with NaN, at the target or elsewhere, has no value: NaN there, and in no other row."""
    return [
        make_problem(fmt, [[NAN, 0]], [0]),
        make_problem(fmt, [[NAN, 0]], [1]),
        make_problem(fmt, [[0, 1, 0], [0, NAN, 1], [2, 0, 1]], [1, 0, 2]),
    ]
