# Generated from the definitions by `python -m gradlab.symbolic.generate`: do not edit.
"""The layer in ball arithmetic, with flint's matrices: as `layer_forms`; a bias is a matrix of one row, (1, K)."""

from __future__ import annotations

from flint import arb, arb_mat


def logits(features: arb_mat, weight: arb_mat, bias: arb_mat) -> arb_mat:
    """X W + b, (N, K)."""
    return features * weight + _ones(features.nrows(), 1) * bias


def by_features(weight: arb_mat, gradient: arb_mat) -> arb_mat:
    """The derivative by the features, (N, D), gradient being that by the logits, (N, K)."""
    return gradient * weight.transpose()


def by_weight(features: arb_mat, weight: arb_mat, gradient: arb_mat, slope: arb) -> arb_mat:
    """The derivative by the weight, (D, K), slope being twice what the penalty multiplies its squares by."""
    return features.transpose() * gradient + weight * slope


def by_bias(bias: arb_mat, gradient: arb_mat, bias_slope: arb) -> arb_mat:
    """The derivative by the bias; bias_slope as slope, or 0."""
    return _ones(1, gradient.nrows()) * gradient + bias * bias_slope


def penalty(weight: arb_mat, bias: arb_mat, slope: arb, bias_slope: arb) -> arb:
    """What is added to the loss: half the slope times the sum of the squares of the weight, and of the bias."""
    return (slope * _sum_of_squares(weight) + bias_slope * _sum_of_squares(bias)) / 2


def _ones(n_rows: int, n_columns: int) -> arb_mat:
    return arb_mat(n_rows, n_columns, [arb(1)] * (n_rows * n_columns))


def _sum_of_squares(values: arb_mat) -> arb:
    return sum((entry * entry for entry in values.entries()), arb(0))
