"""Relations that another sum of exponentials gives: terms left out, counted twice, or a constant more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from gradlab.localisation.relations.fitting import medians
from gradlab.localisation.relations.relation import Relation, denominator, hot, reduced, row_losses, shares
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array

NARROW = ("float16", "bfloat16")  # dtypes in which exponentials are summed
GROUPS = (2, 4, 8, 16, 32, 64)  # classes that are summed together
MIN_BLOCK = 8  # classes, of which a sum may take the first block alone
BLOCKS_BELOW = 3  # powers of two below the fewest classes of a wrong answer, that such a block may have
Sum = Callable[[Outcome], Array]


def exponentials(one: Outcome) -> Array:
    """exp(x - max x), in float64."""
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        return np.asarray(np.exp(x - x.max(axis=1, keepdims=True)))


def gradients_of_sums(some: Sequence[Outcome]) -> Iterator[Relation]:
    """Gradients p - t where p is divided by another sum."""
    for words, other in _others(some, _read_off_gradients):
        yield Relation(f"is that of {words}", partial(_gradient, other=other))


def losses_of_sums(some: Sequence[Outcome]) -> Iterator[Relation]:
    """Losses log sum exp - x_y with another sum."""
    for words, other in _others(some, _read_off_losses):
        yield Relation(f"is that of {words}", partial(_loss, other=other))


def _others(some: Sequence[Outcome], read_off: Callable[[Outcome], Array]) -> Iterator[tuple[str, Sum]]:
    for words, count in _COUNTED.items():
        yield words, partial(_counted, count=count)
    for size in GROUPS:
        words = f"a sum without the classes behind the last whole group of {size}"
        yield words, partial(_counted, count=partial(_in_groups, size=size))
    for words, place in (("first", 0), ("last", -1)):
        yield f"a sum that takes exp(x - max x) of the {words} class for 1", partial(_taken_for_one, place=place)
    for name in NARROW:
        yield f"a sum of exp(x - max x) in {name}", partial(_rounded, name=name)
        yield f"a sum of exp(x - max x) that is rounded to {name}", partial(_rounded_at_last, name=name)
    for size in _first_blocks(min(one.problem.n_classes for one in some)):
        yield f"a sum over the first {size} classes alone", partial(_counted, count=partial(_in_first, size=size))
    for value in medians([read_off(one) for one in some]):
        yield f"a sum of exp(x - max x) to which {value:.4g} is added", partial(_with_constant, value=value)


def _first_blocks(n_classes: int) -> list[int]:
    """Numbers of classes that are fewer than these, which are all wrong: one less, and the next powers of two."""
    largest = 1 << max(n_classes - 1, 1).bit_length() - 1
    few = (n_classes - 1, *(largest // 2**step for step in range(BLOCKS_BELOW)))
    return list(dict.fromkeys(size for size in few if MIN_BLOCK <= size < n_classes))


def _counted(one: Outcome, count: Sum) -> Array:
    return np.asarray((count(one) * exponentials(one)).sum(axis=1))


def _taken_for_one(one: Outcome, place: int) -> Array:
    e = exponentials(one)
    e[:, place] = 1.0
    return np.asarray(e.sum(axis=1))


def _with_constant(one: Outcome, value: float) -> Array:
    return np.asarray(exponentials(one).sum(axis=1) + value)


def _rounded(one: Outcome, name: str) -> Array:
    dtype = as_dtype(name)
    with np.errstate(all="ignore"):
        terms = exponentials(one).astype(dtype).astype(np.float64)
        return np.asarray(terms.sum(axis=1).astype(dtype).astype(np.float64))


def _rounded_at_last(one: Outcome, name: str) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(exponentials(one).sum(axis=1).astype(as_dtype(name)).astype(np.float64))


def _in_first(one: Outcome, size: int) -> Array:
    return np.arange(one.problem.n_classes) < size


def _in_groups(one: Outcome, size: int) -> Array:
    k = one.problem.n_classes
    return np.arange(k) < (k // size * size or k)


def _but(place: int, times: float) -> Sum:
    """How often each class counts: once, but for one of them."""

    def count(one: Outcome) -> Array:
        found = np.ones(one.problem.n_classes)
        found[place] = times
        return found

    return count


_COUNTED: dict[str, Sum] = {
    "a sum without the last class": _but(-1, 0.0),
    "a sum without the first class": _but(0, 0.0),
    "a sum without the label's class": lambda one: 1.0 - hot(one, labels_of(one.problem)),
    "a sum that counts the last class twice": _but(-1, 2.0),
    "a sum that counts the first class twice": _but(0, 2.0),
    "a sum that counts the label's class twice": lambda one: 1.0 + hot(one, labels_of(one.problem)),
    "a sum that counts each class twice": lambda one: np.full(one.problem.n_classes, 2.0),
}


def _read_off_gradients(one: Outcome) -> Array:
    """How much larger than it should be the sum of the wrong rows was, given their gradients."""
    with np.errstate(all="ignore"):
        labels = hot(one, labels_of(one.problem))
        p = one.seen.gradient * denominator(one) + labels
        e = np.where(labels, 0.0, exponentials(one))
        at = np.arange(len(e)), e.argmax(axis=1)
        return np.asarray(e[at] / p[at] - exponentials(one).sum(axis=1))[one.wrong_rows]


def _read_off_losses(one: Outcome) -> Array:
    if one.problem.n_rows > 1 and not one.seen.loss.ndim:
        return np.zeros(0)
    with np.errstate(all="ignore"):
        return np.asarray(exponentials(one).sum(axis=1) * np.expm1(one.seen.loss - row_losses(one)))


def _gradient(one: Outcome, other: Sum) -> Array:
    with np.errstate(all="ignore"):
        p = exponentials(one) / other(one)[:, None]
    return np.asarray(p / denominator(one) - shares(one, labels_of(one.problem)))


def _loss(one: Outcome, other: Sum) -> Array:
    x, rows = one.problem.mapped64, np.arange(one.problem.n_rows)
    labels = np.clip(labels_of(one.problem), 0, one.problem.n_classes - 1)
    with np.errstate(all="ignore"):
        return reduced(one, np.asarray(np.log(other(one)) + (x.max(axis=1) - x[rows, labels])))
