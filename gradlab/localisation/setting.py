"""Trials made of others, one feature set to a value."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradlab.localisation.features.feature import MODULI, MODULI_OF_PRODUCTS
from gradlab.localisation.setting_asked import set_asked
from gradlab.localisation.trial import LARGEST, Trial
from gradlab.localisation.varying import (
    Rng,
    labels_of,
    mapped_rows,
    some_rows,
    unmasked,
    with_classes,
    with_labels,
    with_logits,
    with_rows,
)
from gradlab.problems.problem import Array, Problem

Setting = Callable[[Problem, float, Rng], Problem]


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


def _entries(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """N or K such that N K is as wanted: one of them stays, or is 1 where it divides that not."""
    divides = [n for n in (problem.n_rows, problem.n_classes) if wanted % n == 0]
    if not divides:
        return (
            with_classes(with_rows(problem, 1), wanted, rng)
            if rng.random() < 0.5
            else with_rows(with_classes(problem, 2, rng), wanted // 2)
        )
    if problem.n_rows in divides and (rng.random() < 0.5 or problem.n_classes not in divides):
        return with_classes(problem, max(1, round(wanted / problem.n_rows)), rng)
    return with_rows(problem, max(1, round(wanted / problem.n_classes)))


def _entries_at_remainder(m: int) -> Setting:
    """N and K of which the product has this remainder: N by chance, K by it."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        for n in (problem.n_rows, *map(int, rng.permutation(np.arange(1, 65)))):
            common = math.gcd(n, m)
            if int(wanted) % common == 0:
                least = int(wanted) // common * pow(n // common, -1, m // common) % (m // common)
                k = least + m // common * int(rng.integers(0, 4))
                if 0 < n * k <= LARGEST and rng.random() < 0.5:
                    return with_classes(with_rows(problem.rows(slice(0, 1)), 1), k, rng).rows(np.zeros(n, dtype=int))
        return problem

    return set_to


def _at_remainder(count: Callable[[Problem], int], change: Setting, m: int) -> Setting:
    """A number of rows, classes or a label with this remainder, near what it is."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        n = count(problem)
        step = int(rng.choice([0, 0, 1, 2])) * m
        return change(problem, max(int(wanted), n - n % m + int(wanted) + step) or m, rng)

    return set_to


def _label(problem: Problem, wanted: float, rng: Rng) -> Problem:
    problem = with_classes(problem, wanted + 1 + rng.integers(0, 4), rng) if wanted >= problem.n_classes else problem
    chosen = some_rows(problem, rng)[:, 0]
    return with_labels(problem, np.where(chosen, int(np.clip(wanted, 0, problem.n_classes - 1)), labels_of(problem)))


def _label_from_end(problem: Problem, wanted: float, rng: Rng) -> Problem:
    return _label(problem, max(0, problem.n_classes - 1 - wanted), rng)


def _power(count: Callable[[Problem], int], change: Setting) -> Setting:
    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        near = 2 ** max(1, round(np.log2(count(problem))))
        return change(problem, near if wanted else near + int(rng.choice([-1, 1, 3])), rng)

    return set_to


def _near_power(wanted: float) -> int:
    return int(2 ** round(np.log2(max(wanted, 1))))


def _rows_count(problem: Problem) -> int:
    return problem.n_rows


def _classes_count(problem: Problem) -> int:
    return problem.n_classes


SETTINGS: dict[str, Setting] = {
    "n_rows": with_rows,
    "n_classes": with_classes,
    "n_entries": _entries,
    "row": lambda p, v, rng: with_rows(p, v + 1 + (rng.integers(0, 3) if v > 0 else 0)),
    "rows_power_of_two": _power(_rows_count, with_rows),
    "classes_power_of_two": _power(_classes_count, with_classes),
    "rows_as_power": lambda p, v, rng: with_rows(p, _near_power(v)),
    "classes_as_power": lambda p, v, rng: with_classes(p, _near_power(v), rng),
    "is_square": lambda p, v, rng: with_rows(p, p.n_classes if v else p.n_classes + 1),
    "rows_less_classes": lambda p, v, rng: with_rows(p, p.n_classes + v),
    "label": _label,
    "label_from_end": _label_from_end,
    "labels_alike": lambda p, v, rng: with_labels(
        p, np.full(p.n_rows, rng.integers(p.n_classes)) if v else np.arange(p.n_rows) % p.n_classes
    ),
    "label_seen_before": lambda p, v, rng: with_labels(
        p, rng.integers(0, min(2, p.n_classes), p.n_rows) if v else np.arange(p.n_rows) % p.n_classes
    ),
    "labels_rise": lambda p, v, rng: with_labels(p, np.sort(labels_of(p)) if v else np.sort(labels_of(p))[::-1]),
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
    "margin": _margin,
    "lead": lambda p, v, rng: _label_logit(p, lambda top: top + v, rng),
    "row_loss": _row_loss,
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
    **{f"rows_mod_{m}": _at_remainder(_rows_count, with_rows, m) for m in MODULI},
    **{f"entries_mod_{m}": _entries_at_remainder(m) for m in MODULI_OF_PRODUCTS},
    **{f"classes_mod_{m}": _at_remainder(_classes_count, with_classes, m) for m in MODULI},
    **{f"label_mod_{m}": _at_remainder(lambda p: int(labels_of(p)[0]), _label, m) for m in MODULI},
    **{f"row_mod_{m}": _at_remainder(_rows_count, lambda p, v, rng: with_rows(p, v + 1), m) for m in MODULI},
}


def set_in(trial: Trial, name: str, value: float, rng: Rng) -> Trial:
    """The trial with a feature set to a value, as far as that can be done; else the trial itself."""
    setting = SETTINGS.get(name)
    if setting is None:
        return set_asked(trial, name, value, rng)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row without a finite logit
        return replace(trial, problem=setting(trial.problem, value, rng))
