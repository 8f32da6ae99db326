"""Relations that other logits give, by a number that is read off: at the label, times a number, of each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gradlab.localisation.relations.fitting import medians, spelled
from gradlab.localisation.relations.relation import (
    Relation,
    denominator,
    gradient_by_logits,
    hot,
    reduced,
    row_losses,
    softmax_over,
)
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array

DECIMAL = (0.1, 0.05, 0.01, 0.001, 1e-4, 1e-5, 1e-6)
STEPS = (0.5, 0.25, *(2.0**-i for i in range(3, 13)), *DECIMAL)  # of logits that are kept as integers
TENS = (10, 12, 15, 16, 18, 20, 24, 25, 30, 32, 40, 50, 60, 64, 70, 80, 87, 88)
LIMITS = (1, 2, 3, 4, 5, 6, 8, *TENS, 100, 128, 500, 700)  # of logits
LEAST = 1e-5  # of a probability, from which a logit is read off
Logits = Callable[[Outcome], Array]


def gradients_of_logits(some: Sequence[Outcome]) -> Iterator[Relation]:
    """The gradient of other logits."""
    for words, change in (*_CHANGES.items(), *_fitted([_read_off(one) for one in some])):
        twin = Relation(f"is that of {words}", partial(_loss, change=change))
        yield Relation(twin.said, partial(_gradient, change=change), twin=twin)


def losses_of_logits(some: Sequence[Outcome]) -> Iterator[Relation]:
    """The loss of other logits."""
    single = [one for one in some if one.problem.n_rows == 1 and not one.raised]
    for words, change in (*_CHANGES.items(), *_fitted([_read_off_loss(one) for one in single])):
        yield Relation(f"is that of {words}", partial(_loss, change=change))


def _gradient(one: Outcome, change: Logits) -> Array:
    return gradient_by_logits(one, change(one))


def _loss(one: Outcome, change: Logits) -> Array:
    return reduced(one, row_losses(one, logits=change(one)))


@dataclass(frozen=True)
class Reading:
    """What the logits were taken for, if for the same number.

    more: by how much the label's logit was more. times: how many times all logits. norms: the norm that gives them.
    masked: what was in the place of -inf.
    """

    more: Array
    times: Array
    norms: Array
    masked: Array


def _fitted(read: Sequence[Reading]) -> Iterator[tuple[str, Logits]]:
    for value in medians([one.more for one in read]):
        words = "less" if value < 0 else "more"
        yield f"the logits, the label's {abs(value):.5g} {words}", partial(_label_moved, value=value)
    for value in medians([one.times for one in read]):
        yield f"{spelled(value)} times the logits", partial(_multiple, value=value)
    for value in medians([one.masked for one in read]):
        yield f"the logits, with {value:.5g} for -inf", partial(_unmasked, value=value)
    for value in medians([one.norms for one in read]):
        yield f"the logits, each row with norm {value:.5g} at most", partial(_with_norm_at_most, value=value)


def _read_off(one: Outcome) -> Reading:
    """What the wrong rows of a gradient were made of, if that is the logits changed in one of two ways."""
    labels = hot(one, labels_of(one.problem))
    p, true = one.seen.gradient * denominator(one) + labels, softmax_over(one.problem.mapped64, axis=1)
    rows = one.wrong_rows & ((p > LEAST).sum(axis=1) > 1)
    with np.errstate(all="ignore"):
        off = np.where((p > LEAST) & (true > LEAST), np.log(p / true), np.nan)
        others = np.nanmedian(np.where(labels, np.nan, off), axis=1)
        more = np.where(labels, off, np.nan)
        moved = np.nansum(more, axis=1) - others
        x = np.where(p > LEAST, one.problem.mapped64, np.nan)
        logs = np.where(np.isnan(x), np.nan, np.log(p))
        times = (np.nanmax(logs, axis=1) - np.nanmin(logs, axis=1)) / (np.nanmax(x, axis=1) - np.nanmin(x, axis=1))
        norms = times * np.linalg.norm(one.problem.mapped64, axis=1)
    return Reading(moved[rows], times[rows], norms[rows], _read_off_masked(one, p))


def _read_off_masked(one: Outcome, p: Array) -> Array:
    """What the logits of -inf were taken for, given the probabilities that came out."""
    x = one.problem.mapped64
    rows, at = np.arange(len(x)), x.argmax(axis=1)
    with np.errstate(all="ignore"):
        found = np.log(p / p[rows, at][:, None]) + x[rows, at][:, None]
    return np.asarray(found[(x == -np.inf) & ~hot(one, labels_of(one.problem))])


def _unmasked(one: Outcome, value: float) -> Array:
    x = one.problem.mapped64
    return np.where(x == -np.inf, value, x)


def _read_off_loss(one: Outcome) -> Reading:
    """The same of the loss of a single row: only the label's logit can be read off."""
    x, row = one.problem.mapped64, np.arange(one.problem.n_rows)
    labels = np.clip(labels_of(one.problem), 0, one.problem.n_classes - 1)
    with np.errstate(all="ignore"):
        others = np.where(hot(one, labels), -np.inf, x)
        top = others.max(axis=1)
        lse = top + np.log(np.exp(others - top[:, None]).sum(axis=1))
        moved = lse - np.log(np.expm1(one.seen.loss)) - x[row, labels]
    return Reading(np.ravel(moved), *([np.zeros(0)] * 3))


def _label_moved(one: Outcome, value: float) -> Array:
    return np.asarray(one.problem.mapped64 + value * hot(one, labels_of(one.problem)))


def _multiple(one: Outcome, value: float) -> Array:
    return np.asarray(value * one.problem.mapped64)


def _with_norm_at_most(one: Outcome, value: float) -> Array:
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        return np.asarray(x * np.fmin(1.0, value / np.linalg.norm(x, axis=1, keepdims=True)))


def _rounded(one: Outcome, name: str) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(one.problem.mapped64.astype(as_dtype(name)).astype(np.float64))


def _in_steps(one: Outcome, step: float) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.rint(one.problem.mapped64 * round(1 / step)) / round(1 / step))


def _cut_to_steps(one: Outcome, step: float) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.trunc(one.problem.mapped64 * round(1 / step)) / round(1 / step))


def _limited(one: Outcome, low: float, high: float) -> Array:
    return np.clip(one.problem.mapped64, low, high)


def _not_below(one: Outcome, limit: float) -> Array:
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        return np.asarray(np.maximum(x, x.max(axis=1, keepdims=True) - limit))


def _standardised(one: Outcome) -> Array:
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        return np.asarray((x - x.mean(axis=1, keepdims=True)) / (x.std(axis=1, keepdims=True) + 1e-6))


def _with_norm_one(one: Outcome) -> Array:
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def _tanh(one: Outcome) -> Array:
    return np.tanh(one.problem.mapped64)


_CHANGES: dict[str, Logits] = {
    "the logits rounded to whole numbers": lambda one: np.rint(one.problem.mapped64),
    "the logits rounded towards 0": lambda one: np.trunc(one.problem.mapped64),
    "the logits rounded to float16": partial(_rounded, name="float16"),
    "the logits rounded to bfloat16": partial(_rounded, name="bfloat16"),
    "the logits rounded to float32": partial(_rounded, name="float32"),
    **{f"the logits rounded to multiples of {step:.4g}": partial(_in_steps, step=step) for step in STEPS},
    **{f"the logits cut to multiples of {step:.4g}": partial(_cut_to_steps, step=step) for step in STEPS},
    **{f"logits of at most {limit}": partial(_limited, low=-np.inf, high=limit) for limit in LIMITS},
    **{f"logits of at least -{limit}": partial(_limited, low=-limit, high=np.inf) for limit in LIMITS},
    **{f"logits of at most {limit} in size": partial(_limited, low=-limit, high=limit) for limit in LIMITS},
    **{f"x - max x of at least -{limit}": partial(_not_below, limit=limit) for limit in LIMITS},
    "the logits less their mean, over their standard deviation": _standardised,
    "the logits over their norm": _with_norm_one,
    "the tanh of the logits": _tanh,
    "the logits over K": lambda one: one.problem.mapped64 / one.problem.n_classes,
    "the logits over the root of K": lambda one: one.problem.mapped64 / np.sqrt(one.problem.n_classes),
    "the logits, each row rolled by one class": lambda one: np.roll(one.problem.mapped64, 1, axis=1),
    "the logits, each row rolled back by one class": lambda one: np.roll(one.problem.mapped64, -1, axis=1),
    "the logits, the classes of each pair swapped": partial(lambda one, b: _swapped(one, b), b=1),
    "the logits, each four classes in reverse": partial(lambda one, b: _swapped(one, b), b=3),
    "the logits of the row before": lambda one: np.roll(one.problem.mapped64, 1, axis=0),
}


def _swapped(one: Outcome, bits: int) -> Array:
    """The classes with these bits of their number changed; the last, where that is no class."""
    k = one.problem.n_classes
    return np.asarray(one.problem.mapped64[:, np.minimum(np.arange(k) ^ bits, k - 1)])
