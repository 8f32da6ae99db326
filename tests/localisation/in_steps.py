"""Mistakes that keep numbers in a few steps, saturate probabilities, or let some classes alone count."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.localisation.words import EVERYWHERE
from gradlab.problems.problem import Array
from tests.localisation.functions import Mistake, mean, parts, right


def in_steps(x: Array, start: Array, step: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.where(step > 0, start + np.rint((x - start) / step) * step, x).astype(x.dtype)


def logits_in_steps_of_the_row(x: Array, y: Array) -> Any:
    with np.errstate(all="ignore"):
        step = np.abs(x).max(axis=1, keepdims=True, initial=0.0) / 63
        return right(np.where(np.isfinite(step), in_steps(x, 0 * step, step), x), y)


def gradient_in_steps(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    with np.errstate(all="ignore"):
        low, high = g.min(axis=1, keepdims=True, initial=0.0), g.max(axis=1, keepdims=True, initial=0.0)
        return loss, in_steps(g, low, (high - low) / 15)


def saturated(x: Array, y: Array) -> Any:
    losses, g, p = parts(x, y)
    own = np.zeros(p.shape, dtype=bool)
    own[np.arange(len(y)), y] = True
    return mean(losses, np.where(np.isnan(p), g, np.where(p > 0.9, 1, p) - own).astype(x.dtype))


def largest_of_95_percent(x: Array, y: Array) -> Any:
    p = parts(x, y)[2]
    order = np.argsort(-x, axis=1, kind="stable")
    ordered = np.take_along_axis(p, order, axis=1)
    kept = np.zeros(x.shape, dtype=bool)
    np.put_along_axis(kept, order, ~(np.cumsum(ordered, axis=1) - ordered >= 0.95), axis=1)
    kept[np.arange(len(y)), y] = True
    return right(np.where(kept, x, x.dtype.type(-np.inf)), y)


def nothing_before_the_label(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    return loss, np.where(np.arange(x.shape[1])[None] < y[:, None], 0, g)


def centred(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    with np.errstate(all="ignore"):
        return loss, g - g.mean(axis=0, keepdims=True) if len(y) else g


IN_STEPS = {
    "logits_in_steps_of_the_row": Mistake(
        logits_in_steps_of_the_row,
        EVERYWHERE,
        "the gradient is that of the logits rounded to steps of 1/63 of the largest in size of the row",
    ),
    "gradient_in_steps": Mistake(
        gradient_in_steps, EVERYWHERE, "is rounded to 15 steps from the least to the largest of the row"
    ),
    "saturated": Mistake(saturated, EVERYWHERE, "is that of probabilities of which those above about 0.9 are 1"),
    "largest_of_95_percent": Mistake(
        largest_of_95_percent,
        EVERYWHERE,
        "is that of the largest logits that make up 0.95 of the probability and the label's alone",
    ),
    "nothing_before_the_label": Mistake(
        nothing_before_the_label, EVERYWHERE, "is right but for the entry of every class before the label, which is 0"
    ),
    "centred": Mistake(centred, EVERYWHERE, "is less its mean over the rows"),
}
