"""Families where every correct way of writing the loss works: what fails here is wrong, not unstable."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from gradlab.problems.dtypes import Format
from gradlab.problems.families.placing import make_problem
from gradlab.problems.problem import Problem, Shape, moderate_limit

DISTINCT_ROWS = 4096  # of a problem of more


def smallest(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """The simplest problems there are, simplest first, so that the first failure is already small."""
    return [
        make_problem(fmt, [[0, 0]], [0]),
        make_problem(fmt, [[0, 0]], [1]),
        make_problem(fmt, [[1, 0]], [0]),
        make_problem(fmt, [[1, 0]], [1]),
        make_problem(fmt, [[0, 0, 0]], [1]),
        make_problem(fmt, [[0, 1, -1]], [2]),
        make_problem(fmt, [[0, 0], [0, 0]], [0, 1]),
        make_problem(fmt, [[1, -1], [0, 0.5]], [1, 1]),
        make_problem(fmt, [[0, 1, -1], [0.5, 0, 0]], [0, 2]),
    ]


def moderate(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Uniform logits of everyday size, in batches of several shapes; as many rows as classes too.

    Where N = K a label vector subtracted from the matrix of probabilities broadcasts without an error.
    """
    shapes = [(3, 5), (4, 4), (6, 2), (8, 10)]
    return [_uniform(fmt, rng, (rows, classes), 3.0) for rows, classes in shapes]


def moderate_extremes(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Uniform logits as large as every form can take, shifted or not."""
    return [_uniform(fmt, rng, (rows, classes), np.inf) for rows, classes in [(1, 2), (3, 4)]]


def round_numbers(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """The numbers that people write for "absent", "masked" or "large": each as the target and as another class."""
    limit = moderate_limit(fmt, 16)
    sizes = [size for size in (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0) if size <= limit]
    row = [*(-size for size in reversed(sizes)), 0.0, *sizes]
    return [make_problem(fmt, np.tile(row, (len(row), 1)), np.arange(len(row)))]


def one_row(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """A batch of one: an axis that is reduced or broadcast by mistake goes unnoticed, a squeezed one does not."""
    return [_uniform(fmt, rng, (1, classes), 3.0) for classes in (2, 7)]


def one_class(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """A single class: probability 1, loss and gradient 0."""
    return [make_problem(fmt, [[0]], [0]), make_problem(fmt, [[1], [0], [-1]], [0, 0, 0])]


def empty_batch(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """No rows at all: the gradient has shape (0, K), the mean is NaN and the sum 0."""
    return [make_problem(fmt, np.zeros((0, classes)), []) for classes in (1, 3)]


def long_batch(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """More rows than an 8-bit index or a block of a blocked loop holds, and one over."""
    return [_uniform(fmt, rng, (257, 3), 3.0)]


def every_label(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """The same logits once for each label: an error that depends on where the label is has nowhere to hide."""
    row = rng.uniform(-1, 1, 4)
    return [make_problem(fmt, np.tile(row, (8, 1)), np.repeat(np.arange(4), 2))]


def many_classes(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """More classes than 8 bits can number, labels among the last of them, and more entries than 15 bits can."""
    return [
        make_problem(fmt, rng.uniform(-1, 1, (2, 300)), [299, 256]),
        make_problem(fmt, rng.uniform(-3, 3, (1, 1000)), [999]),
        make_problem(fmt, rng.uniform(-1, 1, (129, 256)), rng.integers(0, 256, 129)),
    ]


def many_equal_rows(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """So many equal losses that a sum of few bits, taken one by one, stops growing."""
    return [make_problem(fmt, np.zeros((4099, 2)), rng.integers(0, 2, 4099))]


# Around the sizes at which loops over blocks and lanes begin again: one fewer, as many, one more.
SIZES = (11, 12, 13, 15, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128)


def many_shapes(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Numbers of rows and of classes around powers of two and in between, each number once as either."""
    return [_uniform(fmt, rng, (rows, classes), 3.0) for rows, classes in zip(SIZES, reversed(SIZES), strict=True)]


def large_shapes(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Batches of a size that training uses, and one row or class more than a block of 1024 holds."""
    shapes = [(64, 100), (1025, 3), (2, 1025), (3, 2049), (33, 5001)]
    return [_uniform(fmt, rng, (rows, classes), 3.0) for rows, classes in shapes]


def random_sums(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Long sums of terms that differ and are of one size, whose rounding errors are as likely up as down."""
    shapes = [(1, 2048), (1, 4096), (1, 8192), (2048, 2), (2049, 2), (3000, 2)]
    return [_uniform(fmt, rng, (rows, classes), 1.0) for rows, classes in shapes]


def longer_random_sums(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """As random_sums, of as many terms as a language model has words, and of as many rows.

    Of many rows no more than DISTINCT_ROWS differ, in an order at random: a sum's rounding errors come from what was
    added before, and are none the less random, and the exact answer of each is worked out once.
    """
    wide = [_uniform(fmt, rng, shape, 1.0) for shape in [(1, 32000), (1, 32768), (2, 50257), (1, 131072)]]
    shapes = [(16384, 2), (32768, 3), (65536, 2)]
    distinct = [(_uniform(fmt, rng, (DISTINCT_ROWS, classes), 1.0), rows) for rows, classes in shapes]
    return [*wide, *(one.rows(rng.integers(0, DISTINCT_ROWS, rows)) for one, rows in distinct)]


def vocabulary(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """As many classes as a language model has words, and more than 16 bits can number."""
    few = 32000
    return [
        _uniform(fmt, rng, (4, few), 3.0, [0, few - 1, *rng.integers(0, few, 2)]),
        _uniform(fmt, rng, (2, 70001), 3.0, [70000, 65536]),
    ]


def grid(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Every pair and triple out of a few small logits, with every label, one row each: all of them, no luck needed."""
    values = [-1.0, 0.0, 0.5, 1.0]
    return [
        make_problem(fmt, rows, np.full(len(rows), label))
        for classes in (2, 3)
        for rows in [np.array(list(itertools.product(values, repeat=classes)))]
        for label in range(classes)
    ]


def _uniform(
    fmt: Format, rng: np.random.Generator, shape: Shape, largest: float, labels: Sequence[int] | None = None
) -> Problem:
    """Uniform logits, at most `largest` and the moderate limit in size; labels at random."""
    rows, classes = shape
    moderate = moderate_limit(fmt, classes)
    limit = min(largest, (moderate if moderate > 0 else 0.5) * (1 - fmt.unit_roundoff))  # as rounding may add it
    logits = rng.uniform(-limit, limit, shape)
    return make_problem(fmt, logits, rng.integers(0, classes, rows) if labels is None else labels)
