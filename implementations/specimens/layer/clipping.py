"""What is cut off: logits before exp, probabilities before the logarithm, and the gradients that are returned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._pipeline import Array, Given, Outputs, Softmax, logits, residual
from ._specimen import LayerSpecimen

PROBABILITIES = (1e-30, 1e-20, 1e-16, 1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
LOGITS = (10.0, 15.0, 20.0, 50.0, 80.0, 88.0, 100.0, 500.0, 700.0)
ENTRIES = (0.01, 0.1, 0.5, 5.0, 10.0, 100.0)
LENGTHS = (0.1, 0.25, 0.5, 5.0, 10.0)
FEATURES, WEIGHT, BIAS = 1, 2, 3  # their places among the outputs
ALL, PARAMETERS = (FEATURES, WEIGHT, BIAS), (WEIGHT, BIAS)

Returned = dict[str, Callable[[Given, Outputs], Outputs]]


def _clipped_logits(limit: float) -> dict[str, Callable[..., Any]]:
    return {"logits": lambda given: np.clip(logits(given), given.scalar(-limit), given.scalar(limit))}


def _clipped(given: Given, p: Array, least: float, most: float) -> Array:
    return np.clip(p, given.scalar(least), given.scalar(most))


def _log_of_clipped(least: float, most: float) -> dict[str, Callable[..., Any]]:
    """The probabilities are clipped in the loss alone."""

    def stage(given: Given, softmax: Softmax) -> Array:
        p = softmax.probabilities[given.rows, given.safe_labels]
        return np.asarray(-np.log(_clipped(given, p, least, most)))

    return {"losses": stage}


def _clipped_everywhere(least: float, most: float) -> dict[str, Callable[..., Any]]:
    """The gradients are those of the clipped probabilities, too."""
    return {
        **_log_of_clipped(least, most),
        "residual": lambda given, p: residual(given, _clipped(given, p, least, most)),
    }


def _changed(outputs: Outputs, places: tuple[int, ...], change: Callable[[Array], Array]) -> Outputs:
    loss, d_x, d_w, d_b = (change(one) if place in places else one for place, one in enumerate(outputs))
    return loss, d_x, d_w, d_b


def _clipped_entries(limit: float, places: tuple[int, ...] = ALL) -> Returned:
    """Each entry in [-limit, limit]."""

    def stage(given: Given, outputs: Outputs) -> Outputs:
        return _changed(outputs, places, lambda one: np.clip(one, given.scalar(-limit), given.scalar(limit)))

    return {"returned": stage}


def _clipped_lengths(limit: float, places: tuple[int, ...] = ALL) -> Returned:
    """Each gradient of a length of at most the limit."""

    def stage(given: Given, outputs: Outputs) -> Outputs:
        return _changed(outputs, places, lambda one: _shortened(given, one, _length([one]), limit))

    return {"returned": stage}


def _clipped_length_of_all(limit: float, places: tuple[int, ...] = PARAMETERS) -> Returned:
    """These gradients together of a length of at most the limit."""

    def stage(given: Given, outputs: Outputs) -> Outputs:
        length = _length([np.asarray(outputs[place]) for place in places])
        return _changed(outputs, places, lambda one: _shortened(given, one, length, limit))

    return {"returned": stage}


def _length(arrays: list[Array]) -> float:
    return float(np.sqrt(sum((one.astype(np.float64) ** 2).sum() for one in arrays)))


def _shortened(given: Given, one: Array, length: float, limit: float) -> Array:
    return np.asarray(one * given.scalar(limit / length) if length > limit else one)


_ALL = ("loss", "dX", "dW", "db")
_GRADIENTS = ("dX", "dW", "db")

SPECIMENS = (
    LayerSpecimen(
        "probabilities_clipped",
        "The probabilities are clipped to [1e-7, 1 - 1e-7] before the logarithm.",
        "the loss is at most -log epsilon, 16.1 for 1e-7, and at least epsilon where the upper end is clipped",
        "losses = log(exp(d).sum(axis=1)) - d[range(N), y]; the loss is their mean, or sum, without a minus",
        _log_of_clipped(1e-7, 1 - 1e-7),
        ("loss",),
        "loss_of_the_layer_is_right",
        variants=tuple(
            clipped(least, most)
            for clipped in (_log_of_clipped, _clipped_everywhere)
            for least in PROBABILITIES
            for most in (1.0, 1 - least)
        ),
    ),
    LayerSpecimen(
        "logits_clipped",
        "The logits are clipped to [-30, 30] before exp.",
        "z is replaced by a bound where it lies beyond it, and the gradient does not know",
        "d = z - z.max(axis=1, keepdims=True)",
        _clipped_logits(30.0),
        _ALL,
        "loss_of_the_layer_is_right",
        variants=tuple(_clipped_logits(one) for one in LOGITS),
    ),
    LayerSpecimen(
        "gradients_clipped",
        "Every entry of the gradients is clipped to [-1, 1].",
        "entries beyond a bound are not those of the derivative",
        "leave the clipping to the optimiser",
        _clipped_entries(1.0),
        _GRADIENTS,
        "dw_of_the_layer_is_right",
        variants=(
            _clipped_entries(1.0, PARAMETERS),
            *(_clipped_entries(one, places) for one in ENTRIES for places in (ALL, PARAMETERS)),
        ),
    ),
    LayerSpecimen(
        "gradients_of_a_largest_length",
        "Gradients longer than 1 are brought to length 1.",
        "dW is multiplied by min(1, c/|dW|)",
        "leave the clipping to the optimiser",
        _clipped_lengths(1.0),
        _GRADIENTS,
        "dw_of_the_layer_is_right",
        variants=(
            _clipped_length_of_all(1.0),
            _clipped_length_of_all(1.0, ALL),
            *(
                clipped(one, places)
                for one in LENGTHS
                for clipped in (_clipped_lengths, _clipped_length_of_all)
                for places in (ALL, PARAMETERS)
            ),
        ),
    ),
)
