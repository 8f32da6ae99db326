"""Faithful implementations, every operation rounded and exp and log off by up to 4 ULP; problems that strain them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from gradlab.problems.dtypes import DTYPE_NAMES, format_of
from gradlab.problems.families.placing import make_problem, round_to, underflows
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem, moderate_limit

WEIGHTS = (0.3, 2.0, 1.7, 0.01, 1.0)
ROWS = Callable[[Array, Array, "Arithmetic"], tuple[Array, Array]]


@dataclass(frozen=True)
class Arithmetic:
    """exp and log that are off by `ulps` in every result, besides their rounding, but for exp(0) = 1 and log(1) = 0."""

    ulps: int

    def exp(self, x: Array) -> Array:
        return self._off(np.exp(x.astype(np.float64)), x.dtype)

    def log(self, x: Array) -> Array:
        return self._off(np.log(x.astype(np.float64)), x.dtype)

    def expm1(self, x: Array) -> Array:
        return self._off(np.expm1(x.astype(np.float64)), x.dtype)

    def log1p(self, x: Array) -> Array:
        return self._off(np.log1p(x.astype(np.float64)), x.dtype)

    def exp2(self, x: Array) -> Array:
        return self._off(np.exp2(x.astype(np.float64)), x.dtype)

    def log2(self, x: Array) -> Array:
        return self._off(np.log2(x.astype(np.float64)), x.dtype)

    def _off(self, exact: Array, dtype: Any) -> Array:
        """The values rounded to the dtype, then moved by `ulps`; exactly 0, 1 and infinities stay as they are."""
        values = exact.astype(dtype)
        for _ in range(abs(self.ulps)):
            moved = np.nextafter(values, np.asarray(np.copysign(np.inf, self.ulps), dtype=dtype))
            values = np.where((exact == 0) | (exact == 1) | (values == 0) | ~np.isfinite(values), values, moved)
        return values


def total(terms: Array) -> Array:
    """The sum over the last axis, term by term, in float32 at least, rounded to the terms' dtype; shape (..., 1)."""
    wide = terms.astype(np.float32) if terms.itemsize < 4 else terms
    running = np.zeros_like(wide[..., :1])
    for j in range(wide.shape[-1]):
        running = running + wide[..., j : j + 1]
    return running.astype(terms.dtype)


def times(x: Array, constant: float) -> Array:
    """The product with a constant, in float32 at least, as changes of base are expected to be made."""
    wide = x.astype(np.float32) if x.itemsize < 4 else x
    return np.asarray(wide * wide.dtype.type(constant))


def quotient(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    d = x - x.max(axis=1, keepdims=True)
    e = exact.exp(d)
    s = total(e)
    return total(t * (exact.log(s) - d))[:, 0], total(t) * (e / s) - t


def sum_of_two(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    d = x - x.max(axis=1, keepdims=True)
    e = exact.exp(d)
    s = total(e)
    return (total(t) * exact.log(s) - total(t * d))[:, 0], total(t) * e / s - t


def log_space(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    d = x - x.max(axis=1, keepdims=True)
    log_p = d - exact.log(total(exact.exp(d)))
    return -total(t * log_p)[:, 0], total(t) * exact.exp(log_p) - t


def one_pass(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    wide = np.float32 if x.itemsize < 4 else x.dtype
    largest, sums = x[:, :1], np.ones_like(x[:, :1], dtype=wide)
    for j in range(1, x.shape[1]):
        new = np.maximum(largest, x[:, j : j + 1])
        sums = sums * exact.exp(largest - new).astype(wide) + exact.exp(x[:, j : j + 1] - new).astype(wide)
        largest = new
    d, s = x - largest, sums.astype(x.dtype)
    return total(t * (exact.log(s) - d))[:, 0], total(t) * (exact.exp(d) / s) - t


def complement(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    rows, pivot = np.arange(len(x)), x.argmax(axis=1)
    d = x - x[rows, pivot][:, None]
    e = exact.exp(d)
    e[rows, pivot] = 0
    rest = total(e)
    e[rows, pivot] = 1
    p = e / (1 + rest)
    others = ~np.eye(x.shape[1], dtype=bool)
    zero = np.zeros((), dtype=x.dtype)
    other_t = total(np.where(others, t[:, None, :], zero))[:, :, 0]
    other_p = total(np.where(others, p[:, None, :], zero))[:, :, 0]
    return total(t * (exact.log1p(rest) - d))[:, 0], p * other_t - t * other_p


def complement_in_log_space(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    d = x - x.max(axis=1, keepdims=True)
    log_p = d - exact.log(total(exact.exp(d)))
    p = exact.exp(log_p)
    others = ~np.eye(x.shape[1], dtype=bool)
    zero = np.zeros((), dtype=x.dtype)
    other_t = total(np.where(others, t[:, None, :], zero))[:, :, 0]
    other_p = total(np.where(others, p[:, None, :], zero))[:, :, 0]
    return -total(t * log_p)[:, 0], p * other_t - t * other_p


def through_expm1(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    d = x - x.max(axis=1, keepdims=True)
    log_p = d - exact.log(total(exact.exp(d)))
    others = ~np.eye(x.shape[1], dtype=bool)
    other_t = total(np.where(others, t[:, None, :], np.zeros((), dtype=x.dtype)))[:, :, 0]
    return -total(t * log_p)[:, 0], exact.exp(log_p) * other_t + t * exact.expm1(log_p)


def quotient_in_base_two(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    d = x - x.max(axis=1, keepdims=True)
    e = exact.exp2(times(d, np.log2(np.e))).astype(x.dtype)
    s = total(e)
    return total(t * (times(exact.log2(s), np.log(2)).astype(x.dtype) - d))[:, 0], total(t) * (e / s) - t


def log_space_in_base_two(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    d = x - x.max(axis=1, keepdims=True)
    bits = times(d, np.log2(np.e))
    log_s = exact.log2(total(exact.exp2(bits).astype(x.dtype)))
    losses = times(log_s, np.log(2)).astype(x.dtype) - d
    return total(t * losses)[:, 0], total(t) * exact.exp2(bits - log_s).astype(x.dtype) - t


def log_sum_exp_in_base_two(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    bits = times(x, np.log2(np.e))
    lse = exact.log2(total(exact.exp2(bits).astype(x.dtype)))
    losses = total(t) * times(lse, np.log(2)).astype(x.dtype) - total(t * x)
    return losses[:, 0], total(t) * exact.exp2(bits - lse).astype(x.dtype) - t


def textbook(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    e = exact.exp(x)
    p = e / total(e)
    return -total(t * exact.log(p))[:, 0], total(t) * p - t


def log_of_quotient(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    e = exact.exp(x - x.max(axis=1, keepdims=True))
    p = e / total(e)
    return -total(t * exact.log(p))[:, 0], total(t) * p - t


def shifted_by_the_batch(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    e = exact.exp(x - x.max())
    p = e / total(e)
    return -total(t * exact.log(p))[:, 0], total(t) * p - t


def log_sum_exp(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    lse = exact.log(total(exact.exp(x)))
    return (total(t) * lse - total(t * x))[:, 0], total(t) * exact.exp(x - lse) - t


def shifted_log_sum_exp(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    largest = x.max(axis=1, keepdims=True)
    lse = largest + exact.log(total(exact.exp(x - largest)))
    return total(t * (lse - x))[:, 0], total(t) * exact.exp(x - lse) - t


def ratios(x: Array, t: Array, exact: Arithmetic) -> tuple[Array, Array]:
    sums = total(exact.exp(x[:, None, :] - x[:, :, None]))[:, :, 0]
    return total(t * exact.log(sums))[:, 0], total(t) / sums - t


STANDARD = (
    quotient,
    sum_of_two,
    log_space,
    one_pass,
    complement,
    complement_in_log_space,
    through_expm1,
    quotient_in_base_two,
    log_space_in_base_two,
)
ANY = (
    *STANDARD,
    textbook,
    log_of_quotient,
    shifted_by_the_batch,
    log_sum_exp,
    log_sum_exp_in_base_two,
    shifted_log_sum_exp,
    ratios,
)

OBJECTIVES = {
    "mean": Objective(),
    "sum": Objective("sum"),
    "none": Objective("none"),
    "smoothed": Objective(label_smoothing=0.1),
    "smoothed-none": Objective("none", label_smoothing=0.999),
    "weighted": Objective(class_weights=WEIGHTS),
    "weighted-smoothed": Objective("sum", label_smoothing=0.3, class_weights=WEIGHTS),
    "ignoring": Objective(ignore_index=-7, class_weights=WEIGHTS),
    "soft": Objective(targets="probability"),
    "soft-everything": Objective("none", "probability", 0.25, WEIGHTS),
}


def solve(problem: Problem, rows: ROWS, exact: Arithmetic) -> tuple[Array, Array]:
    """The returned loss and the gradient, every step in the problem's dtype; division or product, by the objective."""
    dtype, objective = problem.logits.dtype, problem.objective
    with np.errstate(all="ignore"):
        losses, gradient = rows(problem.logits, coefficients(problem), exact)
        losses, gradient = (
            np.where(problem.ignored_rows, 0, losses),
            np.where(problem.ignored_rows[:, None], 0, gradient),
        )
        losses, gradient = losses.astype(dtype), gradient.astype(dtype)
        if objective.reduction == "none":
            return losses, gradient
        reduced = total(losses)[0]
        if objective.reduction == "sum":
            return reduced, gradient
        scale = np.asarray(1, dtype=dtype) / denominator(problem)
        return reduced / denominator(problem), gradient * scale


def coefficients(problem: Problem) -> Array:
    """w ((1 - eps) q + eps/K) with eps, w and every step in the dtype."""
    dtype, objective = problem.logits.dtype, problem.objective
    q = problem.targets
    if objective.targets == "index":
        q = (np.arange(problem.n_classes) == problem.targets[:, None]).astype(dtype)
    eps, one = np.asarray(objective.label_smoothing, dtype=dtype), np.asarray(1, dtype=dtype)
    if objective.label_smoothing:
        q = (one - eps) * q + eps / np.asarray(problem.n_classes, dtype=dtype)
    weights = np.ones(problem.n_classes) if objective.class_weights is None else np.array(objective.class_weights)
    return np.asarray(q * weights.astype(dtype))


def denominator(problem: Problem) -> Array:
    """The sum of the labels' weights, or the number of rows, in the dtype."""
    dtype, objective = problem.logits.dtype, problem.objective
    if objective.targets == "index" and objective.class_weights is not None:
        labels = problem.targets[~problem.ignored_rows]
        return np.asarray(total(np.array(objective.class_weights).astype(dtype)[labels])[0])
    return np.asarray(np.sum(~problem.ignored_rows), dtype=dtype)


@cache  # one problem for all algorithms: its bounds and its exact answers are remembered with it
def strained(dtype: str, n_classes: int, objective: Objective, moderate: bool) -> Problem:
    """Rows that strain a sum, a shift or a range, one kind each; within the moderate limit if that is asked for."""
    fmt = format_of(dtype)
    rng = np.random.default_rng(n_classes)
    unit = np.linspace(0, 1, n_classes)
    limit = moderate_limit(fmt, n_classes) * (1 - 2 * fmt.unit_roundoff)
    deep = limit if moderate else underflows(fmt)
    rows = np.array(
        [
            np.zeros(n_classes),
            unit,
            unit[::-1],
            deep * (2 * unit - 1),
            deep * (1 - 2 * unit),
            -deep * np.rint(2 * unit) / 4,
            rng.uniform(-deep, deep, n_classes),
            np.full(n_classes, limit if moderate else fmt.largest),
            (limit if moderate else 2.0**fmt.precision) - np.rint(2 * unit),
            np.where(unit < 1, -np.log(max(n_classes - 1, 1)) - unit / 8, 0),
        ]
    )
    rows = np.clip(np.concatenate([rows, rows]), -limit, limit) if moderate else np.concatenate([rows, rows])
    labels = np.where(np.arange(len(rows)) < len(rows) / 2, rows.argmax(axis=1), rng.integers(0, n_classes, len(rows)))
    return with_objective(make_problem(fmt, rows, labels), objective)


def with_objective(problem: Problem, objective: Objective) -> Problem:
    """The problem with this objective: weights for its classes, targets of its kind, some rows ignored."""
    weights = objective.class_weights
    if weights is not None:
        objective = replace(objective, class_weights=tuple(np.resize(weights, problem.n_classes).tolist()))
    if objective.targets == "probability":
        shares = np.asarray(np.random.default_rng(problem.n_classes).uniform(0, 1, problem.logits.shape)) ** 3
        shares[:, 0] = 0
        return problem.replace(targets=round_to(problem.format, shares), objective=objective)
    if objective.ignore_index is not None:
        labels = np.where(np.arange(problem.n_rows) % 5 == 4, objective.ignore_index, problem.targets)
        return problem.replace(targets=labels, objective=objective)
    return problem.replace(objective=objective)


@pytest.fixture(scope="session")
def strain() -> Callable[[str, int, Objective, bool], Problem]:
    """(dtype, number of classes, objective, whether moderate) -> a problem whose rows strain a different part each."""
    return strained


@pytest.fixture(scope="session")
def answer() -> Callable[[Problem, ROWS, int], tuple[Array, Array]]:
    """(problem, algorithm, error of exp and log in ULP) -> loss and gradient, every step rounded."""
    return lambda problem, rows, ulps: solve(problem, rows, Arithmetic(ulps))


@pytest.fixture(scope="session")
def forms() -> dict[str, ROWS]:
    """Every algorithm by its name."""
    return {form.__name__: form for form in ANY}


@pytest.fixture(scope="session")
def standard_forms() -> dict[str, ROWS]:
    """Those that the bounds of forward_* are for."""
    return {form.__name__: form for form in STANDARD}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`standard` runs over the algorithms of forward_*, `any_form` over all; with every dtype and objective."""
    tables: dict[str, dict[str, Any]] = {
        "standard": {form.__name__: form for form in STANDARD},
        "any_form": {form.__name__: form for form in ANY},
        "dtype": {name: name for name in DTYPE_NAMES},
        "objective": OBJECTIVES,
    }
    for name, table in tables.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, list(table.values()), ids=list(table))
