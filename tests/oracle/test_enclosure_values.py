"""Both paths of the oracle against mpmath (another code base), against one another, and their widths."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest

from gradlab.oracle.enclosure import Enclosures, Truth, enclose_by_balls, enclose_by_double_double
from gradlab.oracle.ulp import is_narrow
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype, format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

Array = np.ndarray[Any, np.dtype[Any]]

DIGITS = 1500  # log S of the rows below needs 1130, and 300 more to be right to RELATIVE
RELATIVE = 1e-300  # far above mpmath's own error in a loss, far below every radius
FARTHEST = 10**6  # exp(-FARTHEST) < NOTHING; mpmath takes a second for exp(-1e308)
NOTHING = mpmath.mpf(10) ** -434_000
N_CLASSES = 6
WEIGHTS = (0.3, 2.0, 1e-3, 1.0, 0.0, 5.7)

OBJECTIVES = {
    "mean": Objective(),
    "sum": Objective(reduction="sum"),
    "none": Objective(reduction="none"),
    "smoothing": Objective(label_smoothing=0.1),
    "slight smoothing, sum": Objective(label_smoothing=1e-17, reduction="sum"),
    "weights": Objective(class_weights=WEIGHTS),
    "extreme weights": Objective(class_weights=(1e-300, 1e300, 1.0, 1e-310, 3.0, 1e200)),
    "weights, smoothing, ignored": Objective(class_weights=WEIGHTS, label_smoothing=0.3, ignore_index=-100),
    "ignored, none": Objective(ignore_index=2, reduction="none"),
    "probabilities": Objective(targets="probability"),
    "probabilities, none": Objective(targets="probability", reduction="none"),
    "probabilities, weights": Objective(targets="probability", class_weights=WEIGHTS),
    "probabilities, weights, smoothing": Objective(
        targets="probability", class_weights=WEIGHTS, label_smoothing=0.25, reduction="sum"
    ),
    "probabilities, full smoothing": Objective(targets="probability", label_smoothing=1.0),
}


def standard(rng: np.random.Generator, largest: float) -> Array:
    del largest
    return rng.normal(0, 3, (8, N_CLASSES))


def confident(rng: np.random.Generator, largest: float) -> Array:
    del largest
    return rng.normal(0, 1, (8, N_CLASSES)) + np.arange(0, 800, 100)[:, None] * np.eye(N_CLASSES)[rng.integers(0, 6, 8)]


def far(rng: np.random.Generator, largest: float) -> Array:
    """All but one logit so low that their exponentials are near what double-double leaves out, or below it."""
    del largest
    depths = rng.uniform(1500, 2600, (8, N_CLASSES))
    depths[4:] = rng.uniform(2049, 2600, (4, N_CLASSES))
    return -depths * (1 - np.eye(N_CLASSES)[rng.integers(0, 6, 8)])


def scales(rng: np.random.Generator, largest: float) -> Array:
    return np.asarray(rng.normal(0, 1, (8, N_CLASSES)) * largest ** np.linspace(-1, 0.9, 8)[:, None])


def offsets(rng: np.random.Generator, largest: float) -> Array:
    signs = np.array([[1.0], [-1.0]] * 4)
    return np.asarray(largest * rng.choice([1.0, 1.0, 0.9990, 0.5], (8, N_CLASSES)) * signs)


def extremes(rng: np.random.Generator, largest: float) -> Array:
    return rng.choice([-largest, largest, 0.0, 1.0], (8, N_CLASSES))


def ties(rng: np.random.Generator, largest: float) -> Array:
    del largest
    return np.asarray(rng.integers(0, 2, (8, N_CLASSES)) * np.array([[0.0], [1.0], [30.0], [90.0]] * 2))


def subnormal_logits(rng: np.random.Generator, largest: float) -> Array:
    return rng.integers(-3, 4, (8, N_CLASSES)) / largest / 8


def masked(rng: np.random.Generator, largest: float) -> Array:
    del largest
    logits = rng.normal(0, 5, (8, N_CLASSES))
    logits[rng.uniform(size=logits.shape) < 0.3] = -np.inf
    return logits


def special(rng: np.random.Generator, largest: float) -> Array:
    del largest
    logits = rng.normal(0, 5, (8, N_CLASSES))
    logits[1, 2], logits[3, 0], logits[5], logits[6, 1] = np.nan, np.inf, -np.inf, -np.inf
    return logits


LOGITS = {f.__name__: f for f in (standard, confident, far, scales, offsets, extremes)}
LOGITS |= {f.__name__: f for f in (ties, subnormal_logits, masked, special)}
PATHS: dict[str, Callable[[Problem], Truth]] = {"balls": enclose_by_balls, "double-double": enclose_by_double_double}


@cache
def problem(logits: str, name: str, objective: Objective) -> Problem:
    rng = np.random.default_rng(7)
    dtype, fmt = as_dtype(name), format_of(name)
    with np.errstate(over="ignore", under="ignore"):
        x = LOGITS[logits](rng, fmt.largest).astype(dtype)
    if objective.targets == "probability":
        shares = rng.dirichlet(np.full(N_CLASSES, 0.4), 8)
        shares[0], shares[1], shares[2] = np.eye(N_CLASSES)[3], 0.0, 0.125
        return Problem(x, shares.astype(dtype), objective)
    largest = np.where(np.isnan(x.astype(np.float64)), 0, x.astype(np.float64)).argmax(1)
    labels = np.where(rng.uniform(size=8) < 0.5, largest, rng.integers(0, N_CLASSES, 8))
    if objective.ignore_index is not None:
        labels[::3] = objective.ignore_index
    return Problem(x, labels, objective)


@cache
def enclosed(path: str, p: Problem) -> Truth:
    """What a path answers; three tests ask for it."""
    return PATHS[path](p)


def mp_coefficients(p: Problem, row: int) -> list[Any]:
    eps = mpmath.mpf(p.objective.label_smoothing)
    sizes = p.objective.class_weights or (1.0,) * p.n_classes
    if p.objective.targets == "probability":
        shares = [mpmath.mpf(float(q)) for q in p.targets[row]]
    else:
        shares = [mpmath.mpf(int(j == p.targets[row])) for j in range(p.n_classes)]
    return [mpmath.mpf(w) * ((1 - eps) * q + eps / p.n_classes) for w, q in zip(sizes, shares, strict=True)]


def mp_row(p: Problem, row: int) -> tuple[Any, list[Any], list[Any]]:
    """Loss, gradient and the sizes of the terms that make up the gradient."""
    if p.ignored_rows[row]:
        return mpmath.mpf(0), [mpmath.mpf(0)] * p.n_classes, [mpmath.mpf(0)] * p.n_classes
    if not p.rows_with_value[row]:
        return mpmath.nan, [mpmath.nan] * p.n_classes, [mpmath.mpf(0)] * p.n_classes
    t = mp_coefficients(p, row)
    distances, probabilities, log_sum = mp_softmax(tuple(p.logits64[row].tolist()))
    loss = mpmath.fsum(tj * (log_sum + d) for tj, d in zip(t, distances, strict=True) if tj)
    terms = [(mpmath.fsum(t) * probability, tj) for probability, tj in zip(probabilities, t, strict=True)]
    return loss, [a - b for a, b in terms], [max(a, b) for a, b in terms]


@cache
def mp_softmax(row: tuple[float, ...]) -> tuple[list[Any], list[Any], Any]:
    """max x - x_j, p_j and log S; to DIGITS, whatever the working precision of the first call."""
    with mpmath.workdps(DIGITS):
        distances = [mpmath.mpf(max(row)) - mpmath.mpf(x) for x in row]
        e = [mpmath.exp(-d) if d < FARTHEST else mpmath.mpf(0) for d in distances]
        total = mpmath.fsum(e)
        return distances, [value / total for value in e], mpmath.log(total)


def mp_denominator(p: Problem) -> Any:
    if p.objective.reduction != "mean":
        return mpmath.mpf(1)
    if p.objective.targets == "probability":
        return mpmath.mpf(p.n_rows)
    sizes = p.objective.class_weights or (1.0,) * p.n_classes
    return mpmath.fsum(mpmath.mpf(sizes[y]) for y in p.targets[~p.ignored_rows])


def holds(interval: Enclosures, index: tuple[int, ...], exact: Any, slack: Any) -> bool:
    """Whether the interval at `index` contains a number within `slack` of `exact`."""
    high = float(interval.high[index])
    if not np.isfinite(high):
        return bool(mpmath.isnan(exact) if np.isnan(high) else exact == high)
    parts = (float(interval.low[index]), float(interval.radius[index]))
    low, radius = (mpmath.ldexp(mpmath.mpf(part), int(interval.exponent[index])) for part in parts)
    middle = mpmath.ldexp(mpmath.mpf(high), int(interval.exponent[index])) + low
    return bool(mpmath.isfinite(exact) and abs(exact - middle) <= radius + slack + NOTHING)


def slack_of(loss: Any) -> Any:
    return loss * RELATIVE if mpmath.isfinite(loss) else 0


CASES = [(logits, objective) for logits in LOGITS for objective in OBJECTIVES]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize(("logits", "objective"), CASES)
def test_the_enclosures_hold_what_mpmath_finds(logits: str, objective: str, name: str, path: str) -> None:
    p = problem(logits, name, OBJECTIVES[objective])
    truth = enclosed(path, p)
    with mpmath.workdps(DIGITS):
        tiny = mpmath.mpf(10) ** (20 - DIGITS)  # relative to the terms of an entry, before they cancel
        divisor = mp_denominator(p)
        total = mpmath.mpf(0)
        for row in range(p.n_rows):
            loss, gradient, sizes = mp_row(p, row)
            total += loss
            assert holds(truth.losses, (row,), loss, slack_of(loss))
            for j in range(p.n_classes):
                assert holds(truth.gradient, (row, j), gradient[j] / divisor, tiny * sizes[j] / divisor)
        if p.objective.reduction != "none":
            assert holds(truth.loss, (), total / divisor, slack_of(total))


def overlap(a: Enclosures, b: Enclosures) -> Array:
    """Whether the intervals share a point (or are the same infinity or NaN), entry by entry; compared at b's scale."""
    with np.errstate(invalid="ignore", under="ignore"):
        scale = np.maximum(a.exponent, b.exponent)
        shift_a, shift_b = (np.maximum(side.exponent - scale, -2000).astype(np.int32) for side in (a, b))
        highs = np.ldexp(a.high, shift_a) - np.ldexp(b.high, shift_b)
        lows = np.ldexp(a.low, shift_a) - np.ldexp(b.low, shift_b)
        room = np.ldexp(a.radius, shift_a) + np.ldexp(b.radius, shift_b)
        special = (np.isnan(a.high) & np.isnan(b.high)) | (np.isinf(a.high) & (a.high == b.high))
        return np.asarray(special | (np.abs(highs + lows) <= room + 2.0**-1000))


@pytest.mark.parametrize("name", DTYPE_NAMES)
@pytest.mark.parametrize(("logits", "objective"), CASES)
def test_the_two_paths_agree(logits: str, objective: str, name: str) -> None:
    p = problem(logits, name, OBJECTIVES[objective])
    balls, pairs = (enclosed(path, p) for path in PATHS)
    assert overlap(balls.losses, pairs.losses).all()
    assert overlap(balls.loss, pairs.loss).all()
    assert overlap(balls.gradient, pairs.gradient).all()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", DTYPE_NAMES)
@pytest.mark.parametrize(("logits", "objective"), CASES)
def test_every_enclosure_is_narrower_than_2_to_the_minus_20_ulp(
    logits: str, objective: str, name: str, path: str
) -> None:
    p = problem(logits, name, OBJECTIVES[objective])
    truth = enclosed(path, p)
    assert is_narrow(truth.losses, p.format).all()
    assert is_narrow(truth.loss, p.format).all()
    assert is_narrow(truth.gradient, p.format).all()


LARGE = [(obj, name) for obj in ("mean", "smoothing", "probabilities") for name in ("float32", "float64")]


@pytest.mark.parametrize(("objective", "name"), LARGE)
def test_the_two_paths_agree_on_many_classes(objective: str, name: str) -> None:
    rng = np.random.default_rng(11)
    chosen = OBJECTIVES[objective]
    logits = (rng.normal(0, 1, (3, 5000)) * np.array([[1.0], [20.0], [400.0]])).astype(name)
    targets = rng.integers(0, 5000, 3)
    if chosen.targets == "probability":
        targets = rng.dirichlet(np.full(5000, 0.1), 3).astype(name)
    p = Problem(logits, targets, chosen)
    balls, pairs = enclose_by_balls(p), enclose_by_double_double(p)
    assert overlap(balls.gradient, pairs.gradient).all()
    assert overlap(balls.losses, pairs.losses).all()
