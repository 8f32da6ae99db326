"""Relations that hold where another number than the largest logit of the row is subtracted before exp."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from gradlab.localisation.relations.relation import Relation, denominator, hot, reduced
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.problem import Array

TILES = (4, 8, 16, 32, 64, 128, 256, 512, 1024)  # classes that are looked at together
Shift = Callable[[Outcome], Array]


def gradients_of_shifts() -> Iterator[Relation]:
    """Gradients of exp(x - m) over its sum, with another number m; what overflows is inf, and inf / inf is NaN."""
    for words, shift in _SHIFTS.items():
        yield Relation(f"is {_WORDS} {words}", partial(_gradient, shift=shift), partial(_off_by, shift=shift))


def losses_of_shifts() -> Iterator[Relation]:
    """Losses log sum exp(x - m) + m - x_y, with another number m; and log sum exp x, rounded, less x_y."""
    yield Relation("is that of log sum exp(x), rounded before x_y is subtracted", _less_label)
    for words, shift in _SHIFTS.items():
        yield Relation(f"is {_WORDS} {words}", partial(_loss, shift=shift), partial(_off_by, shift=shift))
        yield Relation(f"is -log p_y with {words}", partial(_log_p, shift=shift), partial(_off_by, shift=shift))


_WORDS = "what comes of exp(x - m) and its sum where m, in the place of the row's largest logit, is"


def _rows_before(one: Outcome) -> Array:
    tops = one.problem.mapped64.max(axis=1)
    return np.concatenate([tops[:1], tops[:-1]])


def _next_rows(one: Outcome) -> Array:
    tops = one.problem.mapped64.max(axis=1)
    return np.concatenate([tops[1:], tops[-1:]])


def _so_far(one: Outcome) -> Array:
    return np.asarray(np.maximum.accumulate(one.problem.mapped64.max(axis=1)))


def _first_row(one: Outcome) -> Array:
    return np.full(one.problem.n_rows, one.problem.mapped64[0].max())


def _largest_of_first(one: Outcome, count: int) -> Array:
    return np.asarray(one.problem.mapped64[:, :count].max(axis=1))


def _largest_of_last_tile(one: Outcome, count: int) -> Array:
    x = one.problem.mapped64
    return np.asarray(x[:, (x.shape[1] - 1) // count * count :].max(axis=1))


def _largest_of_whole_tiles(one: Outcome, count: int) -> Array:
    x = one.problem.mapped64
    return np.asarray(x[:, : x.shape[1] // count * count or x.shape[1]].max(axis=1))


def _but_last(one: Outcome) -> Array:
    x = one.problem.mapped64
    return np.asarray(x[:, : max(1, x.shape[1] - 1)].max(axis=1))


def _but_first(one: Outcome) -> Array:
    x = one.problem.mapped64
    return np.asarray(x[:, min(1, x.shape[1] - 1) :].max(axis=1))


def _at_label(one: Outcome) -> Array:
    labels = np.clip(labels_of(one.problem), 0, one.problem.n_classes - 1)
    return np.asarray(one.problem.mapped64[np.arange(len(labels)), labels])


def _for_all_rows(one: Outcome, value: Callable[[Array], float]) -> Array:
    """A number of the largest logits of all rows, for every row."""
    return np.full(one.problem.n_rows, value(one.problem.mapped64.max(axis=1)))


def _every_second(one: Outcome, first: int) -> Array:
    x = one.problem.mapped64
    return np.asarray(x[:, min(first, x.shape[1] - 1) :: 2].max(axis=1))


def _second_largest(one: Outcome) -> Array:
    return np.asarray(np.sort(one.problem.mapped64, axis=1)[:, -min(2, one.problem.n_classes)])


def _at_least(one: Outcome, floor: float) -> Array:
    return np.asarray(np.maximum(one.problem.mapped64.max(axis=1), floor))


_SHIFTS: dict[str, Shift] = {  # of several that fit, the first: that with which the fewest problems go wrong
    "that of the row before": _rows_before,
    "that of the next row": _next_rows,
    "that of the first row": _first_row,
    "the largest of the rows so far": _so_far,
    "the largest of the batch": lambda one: np.full(one.problem.n_rows, one.problem.mapped64.max()),
    "the largest but for the last class": _but_last,
    "the largest but for the first class": _but_first,
    **{f"the largest of the first {n} logits": partial(_largest_of_first, count=n) for n in TILES[::-1]},
    **{f"the largest of the last tile of {n} classes": partial(_largest_of_last_tile, count=n) for n in TILES[::-1]},
    **{f"the largest of the whole tiles of {n} classes": partial(_largest_of_whole_tiles, count=n) for n in TILES},
    "the second largest logit": _second_largest,
    "the largest of every second logit": partial(_every_second, first=0),
    "the largest of every second logit from the second on": partial(_every_second, first=1),
    "that of the last row": partial(_for_all_rows, value=lambda tops: float(tops[-1])),
    "the mean of the rows' largest logits": partial(_for_all_rows, value=lambda tops: float(tops.mean())),
    "the median of the rows' largest logits": partial(_for_all_rows, value=lambda tops: float(np.median(tops))),
    "the smallest of the rows' largest logits": partial(_for_all_rows, value=lambda tops: float(tops.min())),
    "the mean of the batch": lambda one: np.full(one.problem.n_rows, one.problem.mapped64.mean()),
    "the median of the logits": lambda one: np.median(one.problem.mapped64, axis=1),
    "half the largest logit": lambda one: one.problem.mapped64.max(axis=1) / 2,
    "the first logit": lambda one: one.problem.mapped64[:, 0],
    "the last logit": lambda one: one.problem.mapped64[:, -1],
    "the label's logit": _at_label,
    "the smallest logit": lambda one: one.problem.mapped64.min(axis=1),
    "the mean of the logits": lambda one: one.problem.mapped64.mean(axis=1),
    "the largest |x|": lambda one: np.abs(one.problem.mapped64).max(axis=1),
    "the largest logit or 0, whichever is larger": lambda one: np.maximum(one.problem.mapped64.max(axis=1), 0.0),
    **{
        f"the largest logit or {floor:g}, whichever is larger": partial(_at_least, floor=floor)
        for floor in (-100.0, -1e3, -1e4, -1e5, -1e6, -1e9, -1e10, -1e30)
    },
    "0": lambda one: np.zeros(one.problem.n_rows),
}


def _exponentials(one: Outcome, shift: Shift) -> Array:
    """exp(x - m) in the dtype of the logits, as float64: it overflows, and vanishes, where it would there."""
    dtype = one.problem.logits.dtype
    with np.errstate(all="ignore"):
        d = (one.problem.mapped64.astype(dtype) - shift(one).astype(dtype)[:, None]).astype(np.float64)
        return np.asarray(np.exp(d).astype(dtype), dtype=np.float64)


def _sums(one: Outcome, shift: Shift) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(_exponentials(one, shift).sum(axis=1).astype(one.problem.logits.dtype).astype(np.float64))


def _off_by(one: Outcome, shift: Shift) -> Array:
    """By how much a row may be off: what exp loses where it is subnormal, and where x - m is rounded, (N, 1)."""
    with np.errstate(all="ignore"):
        lost = one.problem.n_classes * one.problem.format.smallest_subnormal / _sums(one, shift)
        rounded = one.problem.format.unit_roundoff * np.abs(shift(one))
        return np.asarray(np.nan_to_num(np.minimum(lost + rounded, 1.0), nan=0.0)[:, None])


def _gradient(one: Outcome, shift: Shift) -> Array:
    with np.errstate(all="ignore"):
        p = _exponentials(one, shift) / _sums(one, shift)[:, None]
        return np.asarray((p - hot(one, labels_of(one.problem))) / denominator(one))


def _loss(one: Outcome, shift: Shift) -> Array:
    with np.errstate(all="ignore"):
        return reduced(one, np.log(_sums(one, shift)) + (shift(one) - _at_label(one)))


def _less_label(one: Outcome) -> Array:
    dtype, top = one.problem.logits.dtype, one.problem.mapped64.max(axis=1)
    with np.errstate(all="ignore"):
        sums = np.exp(one.problem.mapped64 - top[:, None]).sum(axis=1)
        lse = (np.log(sums).astype(dtype) + top.astype(dtype)).astype(np.float64)
        return reduced(one, np.where(np.isfinite(top), lse, np.nan) - _at_label(one))


def _log_p(one: Outcome, shift: Shift) -> Array:
    labels = np.clip(labels_of(one.problem), 0, one.problem.n_classes - 1)
    with np.errstate(all="ignore"):
        e = _exponentials(one, shift)[np.arange(len(labels)), labels]
        return reduced(one, -np.log(e / _sums(one, shift)))
