# Generated from the definitions by `python -m gradlab.symbolic.generate`: do not edit.
"""The layer in NumPy: the logits, the derivatives by features, weight and bias, and the penalty.

Arrays have shapes (N, D), (D, K) and (K,), the gradient by the logits (N, K).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def logits(features: Array, weight: Array, bias: Array) -> Array:
    """X W + b, (N, K)."""
    return features @ weight + bias


def by_features(weight: Array, gradient: Array) -> Array:
    """The derivative by the features, (N, D), gradient being that by the logits, (N, K)."""
    return gradient @ weight.T


def by_weight(features: Array, weight: Array, gradient: Array, slope: float) -> Array:
    """The derivative by the weight, (D, K), slope being twice what the penalty multiplies its squares by."""
    return features.T @ gradient + slope * weight


def by_bias(bias: Array, gradient: Array, bias_slope: float) -> Array:
    """The derivative by the bias; bias_slope as slope, or 0."""
    return _sum_of_rows(gradient) + bias_slope * bias


def penalty(weight: Array, bias: Array, slope: float, bias_slope: float) -> float:
    """What is added to the loss: half the slope times the sum of the squares of the weight, and of the bias."""
    return (slope * _sum_of_squares(weight) + bias_slope * _sum_of_squares(bias)) / 2


def _sum_of_rows(values: Array) -> Array:
    total: Array = values.sum(axis=0)
    return total


def _sum_of_squares(values: Array) -> float:
    return float((values * values).sum())
