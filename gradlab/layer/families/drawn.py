"""Problems of the layer that are drawn at random: shapes, sizes of the logits, whole numbers or not, penalties."""

from __future__ import annotations

import numpy as np

from gradlab.layer.families.placing import Rng, make_layer
from gradlab.layer.problem import LayerProblem
from gradlab.problems.dtypes import Format

SCALES = (0.1, 1.0, 3.0, 10.0, 60.0, 300.0)  # of the logits, the moderate ones more often
MODERATE = (0.25, 0.35, 0.2, 0.1, 0.05, 0.05)
STRENGTHS = (0.0, 0.0, 0.01, 0.3, 2.0)


def drawn_layers(fmt: Format, number: int, seed: int) -> list[LayerProblem]:
    """So many problems, marked as drawn; the same for the same seed, and the first of them for a larger number too."""
    return [_draw(fmt, np.random.default_rng([seed, place])).replace(family="drawn") for place in range(number)]


def _draw(fmt: Format, rng: Rng) -> LayerProblem:
    n, d, k = (int(rng.integers(1, most)) for most in (10, 7, 8))
    scale = float(rng.choice(SCALES, p=MODERATE))
    if rng.random() < 0.3:
        features = rng.integers(-3, 4, (n, d)).astype(np.float64)
        weight = rng.integers(-2, 3, (d, k)) * max(1.0, round(scale / 3))
    else:
        factor = 2.0 ** rng.integers(-3, 4)
        features, weight = rng.normal(size=(n, d)) * factor, rng.normal(size=(d, k)) * scale / factor / np.sqrt(d)
    bias = rng.normal(size=k) * scale / 2 if rng.random() < 0.8 else np.zeros(k)
    return make_layer(fmt, features, weight, rng.integers(k, size=n), bias, float(rng.choice(STRENGTHS)))
