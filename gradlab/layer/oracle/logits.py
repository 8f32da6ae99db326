"""The exact logits X W + b of a problem, enclosed as double-double numbers with a radius.

The product is that of `slices`; the bias is one addition more, of a pair and a number. Its parts are multiples of
2^-132 at the scale of row and class, and its radius, where not 0, is above 2^-260: neither under- nor overflows where
scales are within limits, and elsewhere nothing is enclosed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradlab.layer.oracle.slices import (
    ADD_ERROR,
    UPWARDS,
    Product,
    add_double,
    multiply_slices,
    plan_slices,
    slice_rows,
)
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.intervals import Array

_BINADES = (-800, 400)  # scales of what is brought to float64: of that scale, parts and radius are above 2^-260


class Plain(NamedTuple):
    """high + low +- radius, entry by entry, in float64; RN(high + low) = high."""

    high: Array
    low: Array
    radius: Array


def enclose_logits(problem: LayerProblem) -> Plain | None:
    """The logits (N, K) of finite features and weight; None where the scales are too far apart.

    Where the bias is -inf the logit is the product alone: the callers mask it.
    """
    plan = plan_slices(problem.n_features, problem.format)
    columns = np.ascontiguousarray(problem.weight64.T)
    product = multiply_slices(slice_rows(problem.features64, None, plan), slice_rows(columns, None, plan), plan)
    plain = to_plain(product)
    return None if plain is None else add_exactly(plain, np.where(masked_classes(problem), 0.0, problem.bias64))


def masked_classes(problem: LayerProblem) -> Array:
    """Which classes have the bias -inf, boolean, (K,)."""
    return np.asarray(problem.bias64 == -np.inf)


def to_plain(product: Product) -> Plain | None:
    """The product without its scales, or None where one of them is outside _BINADES."""
    scale = product.rows + product.columns
    if scale.size and not (_BINADES[0] < scale.min() and scale.max() < _BINADES[1]):
        return None
    return Plain(*(np.ldexp(part, scale) for part in product[:3]))


def add_exactly(plain: Plain, value: Array) -> Plain:
    """plain + value, for float64 numbers; two_sum is exact for subnormal ones too."""
    high, low = add_double((plain.high, plain.low), np.broadcast_to(value, plain.high.shape))
    return Plain(high, low, (plain.radius + ADD_ERROR * np.abs(high)) * UPWARDS)
