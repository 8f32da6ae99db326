"""Families of finite logits at the edges of a format: the mathematics is ordinary, the arithmetic is not."""

from __future__ import annotations

import math

import numpy as np

from gradlab.problems.dtypes import Format
from gradlab.problems.families.placing import (
    leaves_normal,
    make_problem,
    overflows,
    rounds_to_one,
    spacing,
    underflows,
)
from gradlab.problems.problem import Problem


def margins(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Two classes, a margin on either side of each threshold, and the target on either side of the margin.

    The thresholds: p_y rounds to 1; exp leaves the normal numbers, overflows, underflows to 0.
    """
    thresholds = (rounds_to_one(fmt), leaves_normal(fmt), overflows(fmt), underflows(fmt))
    single = [make_problem(fmt, [[1.02 * t, 0]], [label]) for t in thresholds[::3] for label in (0, 1)]
    around = np.array([t * f for t in thresholds for f in (0.5, 0.98, 1.02)])
    batches = [np.stack([around, 0 * around], axis=1), np.stack([-around, 0 * around], axis=1)]
    return single + [make_problem(fmt, rows, np.full(len(rows), label)) for rows in batches for label in (0, 1)]


def unshifted_exp(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Logits all so large, or all so small, that every exp without a shift overflows, or underflows to 0."""
    steps = np.array([[0, -1, -2.5]])
    high, low = 1.02 * overflows(fmt), -1.02 * underflows(fmt)
    sum_only = math.log(fmt.largest) - 0.25 + 0 * steps  # each exp is finite, their sum is not
    return [
        make_problem(fmt, high + steps, [0]),
        make_problem(fmt, high + steps, [2]),
        make_problem(fmt, low + steps, [1]),
        make_problem(fmt, sum_only, [1]),
        make_problem(fmt, np.concatenate([high + steps, low + steps]), [1, 0]),  # one shift for both rows does not do
    ]


def one_of_many(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """One logit whose exp overflows, among many of everyday size: in one of the first places, and far behind them."""
    row = np.linspace(-1, 1, 35)
    return [
        make_problem(fmt, np.where(np.arange(35) == place, 1.02 * overflows(fmt), row)[None], [0]) for place in (2, 33)
    ]


def common_offsets(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """The same large number added to every logit, up to the largest there is; differences stay exact.

    In each, of both signs: a row of three equals, loss log 3, and a row whose logits lie a few steps apart.
    """
    top = math.floor(math.log2(fmt.largest))
    offsets = (2.0 ** (fmt.precision - 4), min(1e8, fmt.largest / 2), 2.0 ** min(30, top - 2), fmt.largest)
    found = []
    for offset in offsets:
        nearest = float(np.asarray(offset).astype(fmt.dtype).astype(np.float64))
        step = max(spacing(fmt, nearest), 0.25)
        rows = nearest - step * np.array([[0, 0, 0], [1, 0, 3]])
        found.append(make_problem(fmt, np.concatenate([rows, -rows]), [1, 0, 1, 2]))
    return found


def extreme_spread(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Logits so far apart that max - min is large, or overflows; the loss may be inf by right."""
    top = fmt.largest
    return [
        make_problem(fmt, [[1e4, -1e4]], [1]),
        make_problem(fmt, [[0, -top]], [1]),
        make_problem(fmt, [[top, -top]], [0]),
        make_problem(fmt, [[top, -top, 0]], [1]),
        make_problem(fmt, [[top, top, -top]], [0]),
        make_problem(fmt, rng.uniform(-1e4, 1e4, (3, 4)), [0, 1, 3]),
    ]


def ties(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Equal logits: of all classes, of the target and another, of two others above the target."""
    return [
        make_problem(fmt, np.full((2, 5), 2.0), [0, 4]),
        make_problem(fmt, [[3, 3, 0]], [0]),
        make_problem(fmt, [[3, 3, 0]], [1]),
        make_problem(fmt, [[3, 3, 0]], [2]),
        make_problem(fmt, [[1, 0, 1, 0, 1], [0, 1, 1, 1, -1], [1, 1, 1, 1, 0]], [2, 0, 4]),
        make_problem(fmt, [[1.02 * rounds_to_one(fmt), 1.02 * rounds_to_one(fmt), 0]], [1]),
    ]


def many_equal(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """4096 equal logits: a sum of ones that a format with few bits cannot count one by one."""
    return [make_problem(fmt, np.zeros((1, 4096)), [4095])]


def subnormal_probabilities(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Probabilities among the subnormal numbers, as the target's or the others', alone or many together."""
    first, last = leaves_normal(fmt), underflows(fmt)
    depths = first + (last - first) * np.array([0.1, 0.4, 0.6, 0.8])
    return [
        make_problem(fmt, [[0, -depths[1]]], [0]),
        make_problem(fmt, [[0, -depths[1]]], [1]),
        make_problem(fmt, [[*-depths, 0]], [2]),
        make_problem(fmt, [[0, *np.full(15, -depths[3])]], [0]),  # the target's entry is the sum of fifteen subnormals
    ]


def subnormal_logits(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Logits that are subnormal numbers, or next to them: differences too small for any exp but 1."""
    least, normal = fmt.smallest_subnormal, fmt.smallest_normal
    return [
        make_problem(fmt, [[0, least]], [0]),
        make_problem(fmt, [[least, -least, 3 * least]], [2]),
        make_problem(fmt, [[normal, normal - least, -normal]], [1]),
    ]


def ulp_neighbours(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Logits one unit in the last place apart, around 1 and at the top of the range."""
    step = 2 * fmt.unit_roundoff
    near = [1 + step, 1, 1 - step / 2]
    return [
        make_problem(fmt, [near], [0]),
        make_problem(fmt, [near], [2]),
        make_problem(fmt, [[64 * value for value in near], [-64 * value for value in near]], [1, 0]),
    ]


def clusters(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Groups of close logits far from each other: the sum has a few large, some small and many tiny terms."""
    deep = underflows(fmt) / 2
    centres = np.repeat([0.0, -deep / 4, -deep], [2, 4, 8])
    rows = centres + rng.uniform(-0.5, 0.5, (3, centres.size))
    return [make_problem(fmt, rows, [0, 3, 13])]


def log_uniform_scales(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Logits of sizes from 1e-5 to 1e4, in one row."""
    found = []
    for shape in [(1, 3), (4, 6)]:
        size = 10 ** rng.uniform(-5, 4, shape)
        found.append(make_problem(fmt, size * rng.choice([-1, 1], shape), rng.integers(0, shape[1], shape[0])))
    return found


def confident(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """The target far above the rest, but not so far that its entry leaves the normal numbers: p_y - 1 is 0 there.

    The gradient of every row still sums to 0 relative to its largest entry.
    """
    first, last = rounds_to_one(fmt), leaves_normal(fmt)
    depths = first + (last - first) * np.array([[-0.2], [0.0], [0.1], [0.4], [0.7]])
    found = []
    for classes in (2, 6):
        logits = -np.maximum(depths + rng.uniform(0, 0.2, (depths.size, classes)), 0.5)
        logits[:, 1] = 0
        found.append(make_problem(fmt, logits, np.ones(depths.size, dtype=np.int64)))
    return [*found, make_problem(fmt, [[0, *np.full(8, -first - math.log(8))]], [0])]  # the others together weigh u


def wide_uniform(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Uniform logits from 10 to 1e4 in size, whatever the exp of the format can take."""
    shapes = [(4, 6, 10.0), (4, 6, 100.0), (8, 8, 1000.0), (16, 33, 1e4)]
    return [
        make_problem(fmt, rng.uniform(-size, size, (rows, classes)), rng.integers(0, classes, rows))
        for rows, classes, size in shapes
    ]


def rising_and_falling(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Sorted logits: in rising order a running maximum is replaced at every class."""
    rows = np.sort(rng.normal(0, 4, (2, 300)), axis=1)
    return [make_problem(fmt, rows, [299, 150]), make_problem(fmt, rows[:, ::-1], [0, 150])]
