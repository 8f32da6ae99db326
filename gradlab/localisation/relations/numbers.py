"""Relations of the truth to a number: a factor, an offset, a coarser dtype, 0 and NaN."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import ml_dtypes
import numpy as np

from gradlab.localisation.relations.fitting import spelled
from gradlab.localisation.relations.relation import Predict, Relation
from gradlab.localisation.trial import Outcome
from gradlab.problems.coefficients import denominators_of
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array

COARSER = (("float32", 2.0**-24), ("float16", 2.0**-11), ("bfloat16", 2.0**-8))  # and their unit roundoffs
OF_SUMS = 4.0  # unit roundoffs for each class, that an answer worked out in a coarser dtype is off at most
NEAR = 8.0  # unit roundoffs of the dtype of the logits, by which a number of a coarser one may be off


def values(true: Predict) -> Iterator[Relation]:
    yield Relation("is NaN", lambda one: np.full_like(true(one), np.nan))
    yield Relation("is 0", lambda one: np.zeros_like(true(one)))
    yield Relation("is inf", lambda one: np.full_like(true(one), np.inf))


def factors(seen: Sequence[float], true: Predict) -> Iterator[Relation]:
    """The truth times a number, the same for every answer, or one that its shape gives."""
    yield Relation("has the wrong sign", lambda one: -true(one))
    known = [value for value in seen if np.isfinite(value)]
    if known:
        middle = float(np.median(known))
        for value in dict.fromkeys((float(f"{middle:.3g}"), float(f"{middle:.5g}"), middle)):
            yield Relation(
                f"is {spelled(value)} times what it should be",
                partial(_multiple, factor=partial(_same, value), true=true),
            )
    for words, factor in _SHAPE_FACTORS.items():
        yield Relation(f"is {words} what it should be", partial(_multiple, factor=factor, true=true))


_SHAPE_FACTORS: dict[str, Callable[[Outcome], float]] = {
    "N times": lambda one: float(one.problem.n_rows),
    "1/N times": lambda one: 1.0 / max(one.problem.n_rows, 1),
    "K times": lambda one: float(one.problem.n_classes),
    "1/K times": lambda one: 1.0 / one.problem.n_classes,
    "N/(N rounded to float16) times": lambda one: _over_rounded(one.problem.n_rows, np.dtype(np.float16)),
    "N/(N rounded to bfloat16) times": lambda one: _over_rounded(one.problem.n_rows, np.dtype(ml_dtypes.bfloat16)),
    "N/(N - 1) times": lambda one: one.problem.n_rows / (one.problem.n_rows - 1) if one.problem.n_rows > 1 else np.inf,
    "N/(N + 1) times": lambda one: one.problem.n_rows / (one.problem.n_rows + 1),
    "the root of N times": lambda one: float(np.sqrt(one.problem.n_rows)),
    "1/(the root of N) times": lambda one: float(1 / np.sqrt(max(one.problem.n_rows, 1))),
    "(the number of rows that are not ignored)/N times": lambda one: _kept(one) / one.problem.n_rows,
    "N/(the number of rows that are not ignored) times": lambda one: one.problem.n_rows / max(_kept(one), 1),
    "(the sum of the weights of the rows)/N times": lambda one: float(_sum_of_weights(one) / one.problem.n_rows),
    "N/(the sum of the weights of the rows) times": lambda one: float(one.problem.n_rows / _sum_of_weights(one)),
    "1/(the largest class weight) times": lambda one: float(1 / _weights(one).max()),
    "(the largest class weight) times": lambda one: float(_weights(one).max()),
    "1/(the mean of the class weights) times": lambda one: float(1 / _weights(one).mean()),
    "1/(the sum of the class weights) times": lambda one: float(1 / _weights(one).sum()),
    "the sum of the weights of the rows times": lambda one: float(_sum_of_weights(one)),
}


def _over_rounded(number: int, dtype: np.dtype[Any]) -> float:
    """A number divided by itself as the dtype has it; 0 where that is infinite."""
    return float(number / np.float64(np.array(number).astype(dtype)))


def _weights(one: Outcome) -> Array:
    """The weight of every class, 1 where none are given."""
    weights = one.problem.objective.class_weights
    return np.ones(1) if weights is None else np.array(weights)


def _kept(one: Outcome) -> int:
    return int((~one.problem.ignored_rows).sum())


def _sum_of_weights(one: Outcome) -> np.float64:
    """Of the rows that count, each of weight 1 where none are given; NaN where there are no labels.

    A number of NumPy's: it may be 0, as where all rows are ignored, and what is divided by it is infinite then.
    """
    if one.problem.objective.targets != "index":
        return np.float64(np.nan)
    return np.float64(denominators_of(one.problem, "sum_of_weights").sum())


def factor_of_gradient(one: Outcome) -> float:
    """The quotient of answer and truth at the largest entry of the wrong rows."""
    true = np.where(one.wrong_rows[:, None], one.seen.true_gradient, 0.0)
    place = np.unravel_index(np.nanargmax(np.abs(np.nan_to_num(true))), true.shape)
    with np.errstate(all="ignore"):
        return float(one.seen.gradient[place] / true[place])


def factor_of_loss(one: Outcome) -> float:
    with np.errstate(all="ignore"):
        return float((one.seen.loss / one.seen.true_loss).ravel()[0])


def rounded(seen: Sequence[Array], true: Predict, off: float, near: float) -> Iterator[Relation]:
    """The truth in a coarser dtype, whose rounding is about as large as the largest of what is off, relatively.

    seen: for each answer what would be a number of that dtype, but for `near`, relatively.
    """
    values = np.concatenate([np.zeros(0), *map(np.ravel, seen)])
    for name, u in COARSER:
        if off > u / 3 and near < u / 2 and _are_numbers_of(name, values, near):
            yield Relation(f"is rounded to {name}", partial(_in_dtype, name=name, true=true), u)


def worked_out(seen: Predict, true: Predict, some: Sequence[Outcome]) -> Iterator[Relation]:
    """Numbers of a coarser dtype, the coarsest there is, that are near to the truth, as far as its sums are."""
    near, values = nearness(some), np.concatenate([np.zeros(0), *(np.ravel(seen(one)) for one in some)])
    known = [(u, name) for name, u in COARSER if near < u / 2 and _are_numbers_of(name, values, near)]
    for u, name in sorted(known)[-1:]:
        predict = partial(_worked_out_in, name=name, u=u, seen=seen, true=true)
        yield Relation(f"is as good as sums in {name} are, and consists of its numbers", predict)


def nearness(some: Sequence[Outcome]) -> float:
    """How near a number of a coarser dtype is to what came out, relatively, after a rounding or two."""
    return NEAR * max((one.problem.format.unit_roundoff for one in some), default=0.0)


def _worked_out_in(one: Outcome, name: str, u: float, seen: Predict, true: Predict) -> Array:
    """What came out where it is a number of the dtype near to the truth; else the truth, rounded to it."""
    found, right = seen(one), true(one)
    with np.errstate(all="ignore"):
        rounded_truth = right.astype(as_dtype(name)).astype(np.float64)
        off = np.abs(found.astype(as_dtype(name)).astype(np.float64) - found)
        is_number = off <= nearness([one]) * np.abs(found)
        size = np.abs(np.atleast_1d(np.where(np.isfinite(right), right, 0.0))).max(axis=-1, keepdims=True)
        is_near = np.abs(found - right) <= OF_SUMS * one.problem.n_classes * u * size
    return np.where(is_number & is_near, found, rounded_truth).reshape(right.shape)


def _are_numbers_of(name: str, values: Array, nearness: float) -> bool:
    """Whether most values are numbers of a coarser dtype, but for so much, relatively."""
    known = values[np.isfinite(values) & (values != 0)]
    with np.errstate(all="ignore"):
        near = np.abs(known.astype(as_dtype(name)).astype(np.float64) - known) <= nearness * np.abs(known)
    return bool(known.size and near.mean() > 0.5)


def offsets(some: Sequence[Outcome], off: Predict, true: Predict) -> Iterator[Relation]:
    """A constant is added, the same in every answer."""
    values = [float(np.median(off(one)[one.wrong_rows] if off(one).ndim == 2 else off(one))) for one in some]
    known = [value for value in values if np.isfinite(value)]
    if known:
        middle = float(np.median(known))
        for value in dict.fromkeys((float(f"{middle:.2g}"), float(f"{middle:.5g}"), middle)):
            yield Relation(f"is {value:+.5g} off", partial(_moved, value=value, true=true))


def limits(seen: Sequence[Array], true: Predict) -> Iterator[Relation]:
    """What is beyond a limit is set to it: of its size, from above or from below.

    seen: the values that are wrong, of every answer.
    """
    all_seen = np.concatenate([values[np.isfinite(values)] for values in seen])
    if not all_seen.size:
        return
    low, high = float(all_seen.min()), float(all_seen.max())
    most = max(-low, high)
    for value in dict.fromkeys((float(f"{most:.4g}"), most)):
        if min(-low, high) > most / 2:
            yield Relation(f"is cut off at {value:.5g} in size", partial(_cut, low=-value, high=value, true=true))
    for value in dict.fromkeys((float(f"{high:.4g}"), high)):
        yield Relation(f"is cut off at {value:.5g}", partial(_cut, low=-np.inf, high=value, true=true))
    for value in dict.fromkeys((float(f"{low:.4g}"), low)):
        yield Relation(
            f"is at least {value:.5g}, whatever it should be", partial(_cut, low=value, high=np.inf, true=true)
        )


def _cut(one: Outcome, low: float, high: float, true: Predict) -> Array:
    return np.clip(true(one), low, high)


def _multiple(one: Outcome, factor: Callable[[Outcome], float], true: Predict) -> Array:
    return np.asarray(factor(one) * true(one))


def _same(value: float, one: Outcome) -> float:
    return value


def _in_dtype(one: Outcome, name: str, true: Predict) -> Array:
    return true(one).astype(as_dtype(name)).astype(np.float64)


def _moved(one: Outcome, value: float, true: Predict) -> Array:
    return true(one) + value
