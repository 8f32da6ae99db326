"""Layers of another loss than the one that is asked for: scaled logits, smoothed labels, squares, sigmoids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._pipeline import (
    Array,
    Given,
    Residual,
    Softmax,
    features_gradient,
    logits,
    losses,
    residual,
    weight_gradient,
)
from ._specimen import LayerSpecimen

Scale = Callable[[Given], float]

TEMPERATURES = (0.1, 0.2, 0.5, 0.7, 0.8, 1.5, 3.0, 4.0, 5.0, 10.0)
SHARES = (0.01, 0.05, 0.2, 0.3)


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _one_hot(given: Given, like: Array) -> Array:
    t = np.zeros_like(like)
    t[given.rows, given.safe_labels] = 1
    return t


def _through_softmax(p: Array, g: Array) -> Array:
    """The derivative by the logits of what has the derivative g by the probabilities p."""
    return np.asarray(p * (g - (p * g).sum(axis=1, keepdims=True)))


def _softmax_of_logits(given: Given) -> Array:
    return _softmax(logits(given))


def _through_both(given: Given, p: Array) -> Array:
    return _through_softmax(_softmax_of_logits(given), residual(given, p))


def _label_without_probabilities(given: Given, p: Array) -> Array:
    return -_one_hot(given, p)


def _over(temperature: float) -> Scale:
    return lambda given: 1 / temperature


def _root_of_features(given: Given) -> float:
    return float(given.W.shape[0] ** -0.5)


def _scaled(scale: Scale) -> Callable[[Given], Array]:
    return lambda given: np.asarray(logits(given) * given.scalar(scale(given)))


def _scaled_residual(scale: Scale) -> Callable[[Given, Array], Array]:
    return lambda given, p: np.asarray(residual(given, p) * given.scalar(scale(given)))


def _product_scaled(scale: Scale) -> dict[str, Callable[..., Any]]:
    """The product alone, not the bias."""
    return {"logits": lambda given: np.asarray(given.X @ given.W / given.scalar(1 / scale(given)) + given.b)}


def _product_scaled_in_both(scale: Scale) -> dict[str, Callable[..., Any]]:
    def scaled(gradient: Callable[[Given, Residual], Array]) -> Callable[[Given, Residual], Array]:
        return lambda given, g: np.asarray(gradient(given, g) * given.scalar(scale(given)))

    gradients = {"features_gradient": features_gradient, "weight_gradient": weight_gradient}
    return {**_product_scaled(scale), **{name: scaled(one) for name, one in gradients.items()}}


def _in_logits_alone(scale: Scale) -> dict[str, Callable[..., Any]]:
    return {"logits": _scaled(scale)}


def _in_both(scale: Scale) -> dict[str, Callable[..., Any]]:
    return {"logits": _scaled(scale), "residual": _scaled_residual(scale)}


def _smoothed(share: float, has_others_alone: bool = False) -> dict[str, Callable[..., Any]]:
    """Label smoothing by a share that goes to all classes alike, or to all but the label's."""

    def targets(given: Given, like: Array) -> Array:
        own, n_classes = _one_hot(given, like), like.shape[1]
        spread = (1 - own) / max(n_classes - 1, 1) if has_others_alone else np.full_like(like, 1 / n_classes)
        return np.asarray(own * given.scalar(1 - share) + spread * given.scalar(share))

    def smoothed_losses(given: Given, softmax: Softmax) -> Array:
        each = np.log(softmax.totals) - softmax.shifted
        return np.asarray((targets(given, each) * each).sum(axis=1))

    return {"losses": smoothed_losses, "residual": lambda given, p: np.asarray(p - targets(given, p))}


def _squares(factor: float, has_mean: bool = False) -> Callable[[Given, Softmax], Array]:
    def stage(given: Given, softmax: Softmax) -> Array:
        p = softmax.probabilities
        found = ((p - _one_hot(given, p)) ** 2).sum(axis=1) * given.scalar(factor)
        return np.asarray(found / given.scalar(p.shape[1]) if has_mean else found)

    return stage


def _consistent_squares(factor: float, has_mean: bool) -> dict[str, Callable[..., Any]]:
    return {"losses": _squares(factor, has_mean), "residual": _derivative_of_squares(factor, has_mean)}


def _derivative_of_squares(factor: float, has_mean: bool = False) -> Callable[[Given, Array], Array]:
    def stage(given: Given, p: Array) -> Array:
        g = _through_softmax(p, 2 * factor * (p - _one_hot(given, p))).astype(p.dtype)
        return np.asarray(g / given.scalar(p.shape[1]) if has_mean else g)

    return stage


def _sigmoids(given: Given) -> Array:
    return np.asarray(1 / (1 + np.exp(-logits(given))))


def _losses_of_sigmoids(is_divided: bool) -> Callable[[Given, Softmax], Array]:
    def stage(given: Given, softmax: Softmax) -> Array:
        z = logits(given)
        each = np.maximum(z, 0) - z * _one_hot(given, z) + np.log1p(np.exp(-np.abs(z)))
        return np.asarray(each.sum(axis=1) / given.scalar(z.shape[1] if is_divided else 1))

    return stage


def _residual_of_sigmoids(is_divided: bool) -> Callable[[Given, Array], Array]:
    def stage(given: Given, p: Array) -> Array:
        return np.asarray(residual(given, _sigmoids(given)) / given.scalar(p.shape[1] if is_divided else 1))

    return stage


def _times_slope_of_sigmoid(given: Given, p: Array) -> Array:
    return np.asarray(residual(given, p) * p * (given.scalar(1) - p))


_ALL = ("loss", "dX", "dW", "db")
_GRADIENTS = ("dX", "dW", "db")

SPECIMENS = (
    LayerSpecimen(
        "softmax_applied_twice",
        "The probabilities are handed over as logits.",
        "softmax(softmax(z)) in place of softmax(z)",
        "hand the logits over",
        {"logits": _softmax_of_logits},
        _ALL,
        "loss_of_the_layer_is_right",
        "torch threads: CrossEntropyLoss after a softmax",
        variants=({"logits": _softmax_of_logits, "residual": _through_both},),
    ),
    LayerSpecimen(
        "temperature_left_out_of_the_gradients",
        "The logits are divided by a temperature of 2, and the gradients are not.",
        "dX = G W^T and dW = X^T G in place of the same over the temperature",
        "divide G by the temperature, too",
        _in_logits_alone(_over(2.0)),
        _ALL,
        "dw_of_the_layer_is_right",
        variants=(
            *(_in_logits_alone(scale) for scale in (*map(_over, TEMPERATURES), _root_of_features)),
            *(_product_scaled(scale) for scale in (*map(_over, (2.0, *TEMPERATURES)), _root_of_features)),
        ),
    ),
    LayerSpecimen(
        "logits_scaled",
        "The logits are divided by the root of the number of features, as in attention.",
        "z = X W/c, with b/c or b, in place of X W + b",
        "X @ W + b",
        _in_both(_root_of_features),
        _ALL,
        "dw_of_the_layer_is_right",
        variants=(
            *(_in_both(_over(one)) for one in (2.0, *TEMPERATURES)),
            *(_product_scaled_in_both(scale) for scale in (_root_of_features, *map(_over, (2.0, *TEMPERATURES)))),
        ),
    ),
    LayerSpecimen(
        "labels_smoothed",
        "The labels are smoothed by 0.1, in loss and gradient.",
        "t = 0.9 [j = y] + 0.1/K in place of [j = y]",
        "smooth where it is asked for",
        _smoothed(0.1),
        _ALL,
        "dw_of_the_layer_is_right",
        variants=(_smoothed(0.1, True), *(_smoothed(one, kind) for one in SHARES for kind in (False, True))),
    ),
    LayerSpecimen(
        "squared_error",
        "The squared error of the probabilities, with the gradient p - t.",
        "loss = 1/2 |p - t|^2 in place of -log p_y",
        "losses = log(exp(d).sum(axis=1)) - d[range(N), y]; the loss is their mean, or sum, without a minus",
        {"losses": _squares(0.5)},
        ("loss",),
        "loss_of_the_layer_is_right",
        variants=(
            {"losses": _squares(1.0)},
            *(_consistent_squares(factor, has_mean) for factor in (0.5, 1.0) for has_mean in (False, True)),
        ),
    ),
    LayerSpecimen(
        "sigmoids_in_place_of_the_softmax",
        "A sigmoid of every logit, with the binary cross-entropy of every class.",
        "p_j = 1/(1 + exp(-z_j)), which do not sum to 1",
        "the softmax, for classes that exclude one another",
        {"losses": _losses_of_sigmoids(False), "residual": _residual_of_sigmoids(False)},
        _ALL,
        "dw_of_the_layer_is_right",
        variants=(
            {"losses": _losses_of_sigmoids(True), "residual": _residual_of_sigmoids(True)},
            {"losses": losses, "residual": _residual_of_sigmoids(False)},
        ),
    ),
    LayerSpecimen(
        "slope_of_a_sigmoid_in_the_gradients",
        "p - t is multiplied by p (1 - p), as for sigmoids with a square loss.",
        "g_j = (p_j - t_j) p_j (1 - p_j)",
        "g = p - t has all derivatives in it",
        {"residual": _times_slope_of_sigmoid},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "log_sum_not_differentiated",
        "Only the label's logit is differentiated: the log of the sum counts as a constant.",
        "g = -t in place of p - t",
        "the derivative of log sum exp z is p",
        {"residual": _label_without_probabilities},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
    ),
)
