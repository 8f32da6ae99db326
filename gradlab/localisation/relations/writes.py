"""What a call writes into its arguments, in words, where that is the same thing in every call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gradlab.localisation.layer.parts import log_softmax
from gradlab.localisation.relations.relation import denominator, softmax_over
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.problem import Array

ROOM = 64.0  # units of roundoff, of the largest number of the row
Written = Callable[[Outcome], Array]


def said_of_writes(wrong: Sequence[Outcome]) -> str:
    """ "the logits are overwritten by x - max x", of each argument that is changed; with what alone where known."""
    names = dict.fromkeys(name for one in wrong for name in one.written)
    return "; ".join(f"the {name} are overwritten{_by_what(name, wrong)}" for name in names)


def _by_what(name: str, wrong: Sequence[Outcome]) -> str:
    some = [one for one in wrong if name in one.written and one.problem.is_moderate]
    for words, value in _VALUES.get(name, {}).items():
        if some and all(_is_near(one.written[name], value(one), one) for one in some):
            return f" by {words}"
    return ""


def _is_near(seen: Array, value: Array, one: Outcome) -> bool:
    if seen.shape != value.shape:
        return False
    with np.errstate(all="ignore"):
        size = np.abs(np.where(np.isfinite(value), value, 0.0)).max(axis=-1, keepdims=True, initial=1.0)
        room = ROOM * one.problem.n_classes * one.problem.format.unit_roundoff * size
        near = np.abs(seen.astype(np.float64) - value) <= room
    return bool((near | (seen == value)).all())


def _shifted(one: Outcome) -> Array:
    x = one.problem.mapped64
    return np.asarray(x - x.max(axis=1, keepdims=True))


_VALUES: Mapping[str, Mapping[str, Written]] = {
    "logits": {
        "0": lambda one: 0 * one.seen.true_gradient,
        "the gradient": lambda one: one.seen.true_gradient,
        "N times the gradient": lambda one: one.seen.true_gradient * denominator(one),
        "the probabilities": lambda one: softmax_over(one.problem.mapped64, axis=1),
        "x - max x": _shifted,
        "exp(x - max x)": lambda one: np.exp(_shifted(one)),
        "log p": lambda one: log_softmax(one.problem.mapped64),
        "themselves, each row sorted": lambda one: np.sort(one.problem.mapped64, axis=1),
    },
    "labels": {
        "0": lambda one: 0 * labels_of(one.problem),
        "themselves, sorted": lambda one: np.sort(labels_of(one.problem)),
        "themselves less the smallest of the batch": lambda one: labels_of(one.problem) - labels_of(one.problem).min(),
        "themselves - 1": lambda one: labels_of(one.problem) - 1,
        "themselves + 1": lambda one: labels_of(one.problem) + 1,
    },
}
