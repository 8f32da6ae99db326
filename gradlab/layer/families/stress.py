"""Problems of the layer that not every correct way of writing it can do: failing here is unstable."""

from __future__ import annotations

import numpy as np

from gradlab.layer.families.placing import Rng, draw, largest_classes, make_layer, median_margin
from gradlab.layer.problem import LayerProblem
from gradlab.problems.dtypes import Format
from gradlab.problems.families.placing import overflows, underflows

MARGINS = (6.0, 10.0, 17.0, 40.0)


def confident_head(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """A head that is nearly sure, and right: the median margin is 6, 10, 17 and 40."""
    found = []
    for margin in MARGINS:
        one = draw(fmt, rng, (12, 4, 6))
        one = one.replace(targets=largest_classes(one))
        factor = margin / median_margin(one)
        found.append(make_layer(fmt, one.features, one.weight64 * factor, one.targets, one.bias64 * factor))
    return found


def confident_and_wrong(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """A head that is nearly sure of another class: log p of the target is far below 0."""
    found = []
    for factor in (8.0, 40.0, underflows(fmt) / 3):
        one = draw(fmt, rng, (6, 3, 4))
        wrong = (largest_classes(one) + 1) % 4
        found.append(make_layer(fmt, one.features, one.weight64 * factor, wrong, one.bias64))
    return found


def unshifted_exp(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Logits beyond which exp overflows, or underflows in every class, unless the row's maximum is subtracted."""
    found = []
    for sign in (1.0, -1.0):
        one = draw(fmt, rng, (5, 3, 4))
        features, weight = np.abs(one.features64) + 1, one.weight64.copy()
        weight[0] += sign * 2 * overflows(fmt)
        found.append(make_layer(fmt, features, weight, one.targets, one.bias64))
    return found


def rows_apart(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Rows whose logits lie so far apart that a shift by the largest of the batch takes the others out of range."""
    found = []
    for times in (0.5, 2.0):
        one = draw(fmt, rng, (5, 3, 4))
        features, weight = one.features64.copy(), one.weight64.copy()
        features[:, 0] = np.linspace(0, times * overflows(fmt), 5)
        weight[0] = 1
        found.append(make_layer(fmt, features, weight, one.targets, one.bias64))
    return found


def common_offsets(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """All logits of the batch are raised, or lowered, by one number, through the bias and through a feature of ones."""
    found = []
    for offset in (30.0, -30.0, 1000.0, -1000.0, 1e4):
        one = draw(fmt, rng, (4, 3, 3))
        found.append(make_layer(fmt, one.features, one.weight, one.targets, one.bias64 + offset))
        features, weight = one.features64.copy(), one.weight64.copy()
        features[:, 0], weight[0] = 1, offset
        found.append(make_layer(fmt, features, weight, one.targets, one.bias64))
    return found


def collinear(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Features that are multiples of one another, and weights that take away what the others add."""
    one = draw(fmt, rng, (6, 2, 3), 4.0)
    base = one.features64
    features = np.hstack([base, 2 * base, -base])
    weight = np.vstack([8 * one.weight64, -4 * one.weight64, one.weight64 / 4])
    other = np.vstack([one.weight64, one.weight64, one.weight64]) / 4
    return [make_layer(fmt, features, both, one.targets, one.bias64) for both in (weight, other)]


def huge(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Large features with small weights, and the other way round; the logits are of no unusual size."""
    found = []
    for power in (8.0, -8.0, np.log2(fmt.largest) / 4, -np.log2(fmt.largest) / 4):
        one = draw(fmt, rng, (4, 3, 3))
        factor = 2.0 ** np.floor(power)
        found.append(make_layer(fmt, one.features64 * factor, one.weight64 / factor, one.targets, one.bias64))
    return found


def tiny(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Features and weights both so small that the logits say next to nothing, down to where products underflow."""
    found = []
    for power in (-6.0, -20.0, fmt.min_exponent * 0.6):
        one = draw(fmt, rng, (4, 3, 3))
        factor = 2.0 ** np.floor(power)
        found.append(make_layer(fmt, one.features64 * factor, one.weight64 * factor, one.targets))
    return found


def mixed_scales(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Features of every scale, each with a weight of the inverse scale."""
    found = []
    for reach in (4, min(20, int(np.log2(fmt.largest)) // 3)):
        one = draw(fmt, rng, (5, 6, 4))
        factor = 2.0 ** np.round(np.linspace(-reach, reach, 6))
        found.append(make_layer(fmt, one.features64 * factor, one.weight64 / factor[:, None], one.targets, one.bias64))
    return found


def extreme_logits(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Logits of some hundreds and thousands, as of features that nobody has scaled."""
    found = []
    for size in (200.0, 3000.0):
        one = draw(fmt, rng, (5, 3, 4))
        found.append(make_layer(fmt, one.features64 * size / 8, one.weight64 * 8, one.targets, one.bias64))
    return found


def masked_classes(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """A bias of -inf for a class that is no target: its probability is 0."""
    found = []
    for masked in (0, 3):
        one = draw(fmt, rng, (5, 3, 4))
        bias = one.bias64.copy()
        bias[masked] = -np.inf
        labels = np.where(one.targets == masked, 1, one.targets)
        found.append(make_layer(fmt, one.features, one.weight, labels, bias))
    return found


def spread_rows(fmt: Format, rng: Rng) -> list[LayerProblem]:
    """Rows of every size in one batch: nearly no features, ordinary ones, and large ones."""
    one = draw(fmt, rng, (7, 4, 5))
    factor = 2.0 ** np.array([-30, -8, -2, 0, 2, 4, 6])
    return [make_layer(fmt, one.features64 * factor[:, None], one.weight, one.targets, one.bias64)]
