"""Problems of the layer on which every correct way of writing it works: failing here is an error of mathematics."""

from __future__ import annotations

import numpy as np

from gradlab.layer.families.placing import Rng, draw, make_layer
from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.problems.dtypes import Format

CHUNKS = (31, 32, 33, 63, 64, 65, 127, 128, 129)  # rows or classes beside powers of two, and multiples of 32 and 128
BEYOND_CHUNKS = ((130, 2, 3), (3, 130, 3), (3, 2, 130))  # more rows, features or classes than most chunks have
MORE_CHUNKS = (15, 16, 17, 95, 96, 97, 191, 192, 193, 255, 256, 257, 383, 384, 385)


def smallest(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """One to three rows, features and classes of whole numbers: what fails here is shown in a line."""
    shapes = ((1, 1, 2), (1, 2, 2), (2, 1, 2), (2, 2, 3), (3, 2, 2), (2, 3, 3), (3, 1, 3))
    found = []
    for n, d, k in shapes:
        features, weight = rng.integers(-2, 3, (n, d)), rng.integers(-1, 2, (d, k))
        found.append(make_layer(fmt, features, weight, rng.integers(k, size=n), rng.integers(-1, 2, k)))
    return found


def ordinary(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Normal features and weights, shapes in which rows, features and classes differ, and square weights."""
    shapes = ((5, 3, 4), (4, 7, 3), (8, 2, 6), (3, 4, 4), (6, 5, 2), (4, 4, 4))
    return [draw(fmt, rng, shape, scale) for shape in shapes for scale in (0.5, 2.0)]


def one_row(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """A single row."""
    return [draw(fmt, rng, (1, d, k)) for d, k in ((1, 2), (5, 3), (3, 7))]


def one_feature(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """A single feature."""
    return [draw(fmt, rng, (n, 1, k)) for n, k in ((4, 2), (7, 5))]


def one_class(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """A single class: the loss is 0, and so is every derivative, but for the penalty."""
    return [draw(fmt, rng, shape) for shape in ((1, 2, 1), (4, 3, 1))]


def many_rows(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Far more rows than features."""
    return [draw(fmt, rng, (200, 2, 3))]


def many_features(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Far more features than rows."""
    return [draw(fmt, rng, (3, 200, 4)), draw(fmt, rng, (2, 65, 3))]


def many_classes(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Far more classes than rows and features; labels that need more than eight bits."""
    several, single = draw(fmt, rng, (4, 3, 300)), draw(fmt, rng, (1, 2, 258))
    return [several, single.replace(targets=np.array([257]))]


def chunk_sizes(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Rows, or classes, in numbers at which code that works in chunks has a last chunk that is full, or nearly so."""
    return [draw(fmt, rng, shape) for one in CHUNKS for shape in ((one, 2, 3), (3, 2, one))]


def more_chunk_sizes(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """More of these numbers, for rows and classes at a time, and for features."""
    rows = [draw(fmt, rng, (one, 3, other)) for one, other in zip(MORE_CHUNKS, reversed(MORE_CHUNKS), strict=True)]
    return rows + [draw(fmt, rng, (3, one, 3)) for one in (*CHUNKS, *MORE_CHUNKS)]


def every_label(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Every class is a target once, in order and the other way round."""
    first = draw(fmt, rng, (5, 3, 5))
    return [first.replace(targets=np.arange(5)), first.replace(targets=np.arange(5)[::-1].copy())]


def imbalance(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """All rows have the same target, or all but one."""
    first, second = draw(fmt, rng, (6, 3, 4)), draw(fmt, rng, (9, 2, 3))
    labels = np.zeros(9, dtype=np.int64)
    labels[4] = 2
    return [first.replace(targets=np.full(6, 2)), second.replace(targets=labels)]


def zeros(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Features of zeros, a weight of zeros as it is at the start of a training, and a row of zeros."""
    first = draw(fmt, rng, (4, 3, 3))
    features = first.features.copy()
    features[1] = 0
    nothing = np.zeros_like
    return [
        first.replace(features=nothing(first.features)),
        first.replace(weight=nothing(first.weight), bias=nothing(first.bias)),
        first.replace(features=features),
    ]


def features_not_centred(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Features whose mean is far from 0 and whose spread is not 1, as they are before anybody prepares them."""
    n, d, k = 6, 3, 4
    features, weight = rng.uniform(2, 3, (n, d)), rng.normal(size=(d, k)) / 2
    return [make_layer(fmt, features, weight, rng.integers(k, size=n), rng.normal(size=k))]


def large_bias(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """A bias that says more than the features."""
    first = draw(fmt, rng, (5, 3, 4), 0.5)
    return [make_layer(fmt, first.features, first.weight, first.targets, rng.uniform(-3, 3, 4))]


def penalised(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """A penalty that is small, of the size of the rest, and larger; weight and bias of one size."""
    found = []
    for strength, shape in ((0.125, (4, 3, 3)), (0.5, (5, 2, 4)), (1.0, (2, 3, 2)), (4.0, (3, 3, 3)), (0.1, (6, 4, 3))):
        one = draw(fmt, rng, shape)
        bias = rng.choice([-1.0, 1.0], shape[2]) * rng.uniform(0.5, 1, shape[2])
        found.append(make_layer(fmt, one.features, one.weight, one.targets, bias, strength))
    return found + [draw(fmt, rng, shape).replace(penalty=Penalty(0.25)) for shape in BEYOND_CHUNKS]


def middling(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Enough rows, features and classes for sums in which an error of a part in ten thousand counts."""
    return [draw(fmt, rng, (128, 24, 16)), draw(fmt, rng, (96, 64, 10), 0.5)]


def larger(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Layers of some thousand weights."""
    return [draw(fmt, rng, shape, 0.5) for shape in ((512, 64, 50), (1024, 32, 10), (64, 256, 40), (100, 20, 1000))]
