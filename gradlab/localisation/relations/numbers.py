"""Relations of the truth to a number: a factor, an offset, a coarser dtype, 0 and NaN."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from gradlab.localisation.relations.relation import Predict, Relation
from gradlab.localisation.trial import Outcome
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array

NEAR = 2.0**-22  # relatively: a rounding in float32, or two


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
                f"is {value:.5g} times what it should be", partial(_multiple, factor=partial(_same, value), true=true)
            )
    for words, factor in _SHAPE_FACTORS.items():
        yield Relation(f"is {words} what it should be", partial(_multiple, factor=factor, true=true))


_SHAPE_FACTORS: dict[str, Callable[[Outcome], float]] = {
    "N times": lambda one: float(one.problem.n_rows),
    "1/N times": lambda one: 1.0 / max(one.problem.n_rows, 1),
    "K times": lambda one: float(one.problem.n_classes),
    "1/K times": lambda one: 1.0 / one.problem.n_classes,
    "N/(N - 1) times": lambda one: one.problem.n_rows / (one.problem.n_rows - 1) if one.problem.n_rows > 1 else np.inf,
    "N/(N + 1) times": lambda one: one.problem.n_rows / (one.problem.n_rows + 1),
}


def factor_of_gradient(one: Outcome) -> float:
    """The quotient of answer and truth at the largest entry of the wrong rows."""
    true = np.where(one.wrong_rows[:, None], one.seen.true_gradient, 0.0)
    place = np.unravel_index(np.nanargmax(np.abs(np.nan_to_num(true))), true.shape)
    with np.errstate(all="ignore"):
        return float(one.seen.gradient[place] / true[place])


def factor_of_loss(one: Outcome) -> float:
    with np.errstate(all="ignore"):
        return float((one.seen.loss / one.seen.true_loss).ravel()[0])


def rounded(seen: Sequence[Array], true: Predict, off: float) -> Iterator[Relation]:
    """The truth in a coarser dtype, whose rounding is about as large as the largest of what is off, relatively.

    seen: for each answer what would be a number of that dtype.
    """
    for name, u in (("float32", 2.0**-24), ("float16", 2.0**-11), ("bfloat16", 2.0**-8)):
        if off > u / 3 and _are_numbers_of(name, np.concatenate([np.zeros(0), *map(np.ravel, seen)])):
            yield Relation(f"is rounded to {name}", partial(_in_dtype, name=name, true=true), u)


def _are_numbers_of(name: str, values: Array) -> bool:
    """Whether most values are numbers of a coarser dtype, but for one rounding in the dtype that they came in."""
    known = values[np.isfinite(values) & (values != 0)]
    with np.errstate(all="ignore"):
        near = np.abs(known.astype(as_dtype(name)).astype(np.float64) - known) <= NEAR * np.abs(known)
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
