"""Trials made of others, one feature set to a value."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradlab.localisation.setting_asked import set_asked
from gradlab.localisation.setting_places import OF_PLACES
from gradlab.localisation.setting_shapes import OF_SHAPES, Setting
from gradlab.localisation.trial import Trial
from gradlab.localisation.varying import (
    Rng,
    labels_of,
    mapped_rows,
    some_rows,
    unmasked,
    with_logits,
)
from gradlab.problems.problem import Array, Problem


def _raised_to(value: Callable[[Array], Array]) -> Setting:
    """All logits of a row moved so that this number of the row gets the value."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        def moved(x: Array) -> Array:
            return np.asarray(x + (wanted - value(np.where(np.isfinite(x), x, np.nan))))

        return mapped_rows(problem, rng, lambda x: moved(moved(x)))  # again, for what the first has rounded

    return set_to


def _scaled_to(value: Callable[[Array], Array]) -> Setting:
    """All logits of a row multiplied so that this number of the row gets the value."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        return mapped_rows(
            problem, rng, lambda x: np.nan_to_num(wanted / value(np.where(np.isfinite(x), x, np.nan))) * x
        )

    return set_to


def _label_logit(problem: Problem, wanted: Callable[[Array], Array | float], rng: Rng) -> Problem:
    """The label's logit of some rows set, to a value that may depend on the row's others."""
    x, rows = problem.logits64.copy(), np.arange(problem.n_rows)
    labels = np.clip(labels_of(problem), 0, problem.n_classes - 1)
    others = x.copy()
    others[rows, labels] = -np.inf
    chosen = some_rows(problem, rng)[:, 0]
    x[rows, labels] = np.where(chosen, wanted(others.max(axis=1)), x[rows, labels])
    return with_logits(problem, x)


def _margin(problem: Problem, wanted: float, rng: Rng) -> Problem:
    if wanted > 0:
        return _label_logit(problem, lambda top: top - wanted, rng)
    return _label_logit(problem, lambda top: top + rng.choice([0.0, 0.25, 1.0, 3.0]), rng)


def _above_the_second(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """The first largest logit of some rows so much above all others."""
    x, rows = problem.logits64.copy(), np.arange(problem.n_rows)
    at = x.argmax(axis=1)
    others = x.copy()
    others[rows, at] = -np.inf
    chosen = some_rows(problem, rng)[:, 0]
    x[rows, at] = np.where(chosen & np.isfinite(others.max(axis=1)), others.max(axis=1) + wanted, x[rows, at])
    return with_logits(problem, x)


def _others_exponentials(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """All logits but the first that is largest moved so that the sum of their exp(x - max x) is as wanted."""
    x, rows = problem.logits64.copy(), np.arange(problem.n_rows)
    at = x.argmax(axis=1)
    top = x[rows, at].copy()
    with np.errstate(all="ignore"):
        e = np.exp(x - top[:, None])
        e[rows, at] = 0
        others = e.sum(axis=1)
        x += np.log(wanted / others)[:, None]
    x[rows, at] = top
    return with_logits(problem, np.minimum(x, top[:, None]))


def _row_loss(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """The label's logit where log(1 + sum exp(other - it)) is as wanted."""
    with np.errstate(all="ignore"):
        below = np.log(np.expm1(np.float64(wanted))) if wanted < 700 else wanted
    x, rows = problem.logits64, np.arange(problem.n_rows)
    others = x.copy()
    others[rows, np.clip(labels_of(problem), 0, problem.n_classes - 1)] = -np.inf
    top = others.max(axis=1)
    with np.errstate(all="ignore"):
        lse = top + np.log(np.exp(others - top[:, None]).sum(axis=1))
    return _label_logit(problem, lambda _: lse - below, rng)


def _n_alike(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """So many logits as large as the largest."""
    x = problem.logits64.copy()
    order = np.argsort(-x, axis=1)[:, : max(1, int(wanted))]
    np.put_along_axis(x, order, x.max(axis=1, keepdims=True), axis=1)
    if wanted <= 1:
        x += rng.uniform(-0.5, 0.5, x.shape)
    return with_logits(problem, x)


def _like_label(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """So many logits like the label's."""
    x, rows = problem.logits64.copy(), np.arange(problem.n_rows)
    if wanted <= 1:
        return with_logits(problem, x + rng.uniform(-0.5, 0.5, x.shape))
    for step in range(1, int(min(wanted, problem.n_classes))):
        labels = np.clip(labels_of(problem), 0, problem.n_classes - 1)
        x[rows, (labels + step) % problem.n_classes] = x[rows, labels]
    return with_logits(problem, x)


def _place(value: float) -> Setting:
    """The largest logit in another place."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        x, rows = problem.logits64.copy(), np.arange(problem.n_rows)
        k = problem.n_classes
        to = np.full(problem.n_rows, int(np.clip(wanted if value > 0 else k - 1 - wanted, 0, k - 1)))
        at = x.argmax(axis=1)
        x[rows, at], x[rows, to] = x[rows, to], x[rows, at].copy()
        return with_logits(problem, x)

    return set_to


def _n_of(value: float, from_start: bool) -> Setting:
    """So many logits of each row of this value, the first ones or any but the label's; the others finite."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        x = (
            unmasked(problem, rng).logits64.copy()
            if value != 0
            else np.where(problem.logits64 == 0, 0.5, problem.logits64)
        )
        labels = np.clip(labels_of(problem), 0, problem.n_classes - 1)
        for row in range(min(problem.n_rows, 64)):
            free = [j for j in range(problem.n_classes) if j != labels[row]]
            chosen = np.arange(problem.n_classes) if from_start else rng.permutation(free)
            x[row, chosen[: int(max(0, wanted))].astype(int)] = value
        return with_logits(problem, x)

    return set_to


SETTINGS: dict[str, Setting] = {
    **OF_SHAPES,
    **OF_PLACES,
    "largest": _raised_to(lambda x: np.nanmax(x, axis=1, keepdims=True)),
    "batch_largest": _raised_to(lambda x: np.nanmax(x, axis=1, keepdims=True)),
    "smallest": _raised_to(lambda x: np.nanmin(x, axis=1, keepdims=True)),
    "batch_smallest": _raised_to(lambda x: np.nanmin(x, axis=1, keepdims=True)),
    "mean": _raised_to(lambda x: np.nanmean(x, axis=1, keepdims=True)),
    "log_sum_exp": _raised_to(
        lambda x: (
            np.nanmax(x, axis=1, keepdims=True)
            + np.log(np.nansum(np.exp(x - np.nanmax(x, axis=1, keepdims=True)), axis=1, keepdims=True))
        )
    ),
    "size": _scaled_to(lambda x: np.nanmax(np.abs(x), axis=1, keepdims=True)),
    "batch_size": _scaled_to(lambda x: np.nanmax(np.abs(x), axis=1, keepdims=True)),
    "spread": _scaled_to(lambda x: np.nanmax(x, axis=1, keepdims=True) - np.nanmin(x, axis=1, keepdims=True)),
    "at_label": lambda p, v, rng: _label_logit(p, lambda top: v, rng),
    "label_size": lambda p, v, rng: _label_logit(p, lambda top: v * rng.choice([-1.0, 1.0]), rng),
    "margin": _margin,
    "lead": lambda p, v, rng: _label_logit(p, lambda top: top + v, rng),
    "above_the_second": _above_the_second,
    "row_loss": _row_loss,
    "others_exponentials": _others_exponentials,
    "n_largest": _n_alike,
    "n_like_label": _like_label,
    "place_of_largest": _place(1),
    "place_of_largest_from_end": _place(-1),
    "n_masked": _n_of(-np.inf, False),
    "leading_masked": _n_of(-np.inf, True),
    "n_zeros": _n_of(0.0, False),
    "n_nan": _n_of(np.nan, False),
    "n_infinite": _n_of(np.inf, False),
    "label_masked": lambda p, v, rng: _label_logit(p, lambda top: -np.inf if v else 0.5, rng),
    "whole_numbers": lambda p, v, rng: mapped_rows(p, rng, (lambda x: np.rint(x)) if v else (lambda x: x + 0.375)),
    "rising": lambda p, v, rng: mapped_rows(p, rng, lambda x: np.sort(x, axis=1) if v else np.sort(x, axis=1)[:, ::-1]),
    "falling": lambda p, v, rng: mapped_rows(
        p, rng, lambda x: np.sort(x, axis=1) if not v else np.sort(x, axis=1)[:, ::-1]
    ),
}


def set_in(trial: Trial, name: str, value: float, rng: Rng) -> Trial:
    """The trial with a feature set to a value, as far as that can be done; else the trial itself."""
    setting = SETTINGS.get(name)
    if setting is None:
        return set_asked(trial, name, value, rng)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row without a finite logit
        return replace(trial, problem=setting(trial.problem, value, rng))
