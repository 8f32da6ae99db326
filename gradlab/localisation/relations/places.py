"""Relations to the truth of other labels, rows and logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradlab.localisation.relations.relation import Relation, denominator, gradient_by_logits, shares
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array

MAX_BEFORE = 512  # rows, that a block has which is taken for the one behind it

OTHER_LABELS: dict[str, Callable[[Outcome], Array]] = {
    "the label modulo 2^16": lambda one: labels_of(one.problem) % 65536,
    "the label as a signed 16-bit number": lambda one: _in(one, np.int16),
    "the label modulo 2^8": lambda one: labels_of(one.problem) % 256,
    "the label as a signed 8-bit number": lambda one: _in(one, np.int8),
    "the label rounded to float16": lambda one: _in(one, np.float16),
    "the label rounded to bfloat16": lambda one: _in(one, as_dtype("bfloat16")),
    "the label rounded to float16, the last class at most": lambda one: _at_most_last(one, np.float16),
    "the label rounded to bfloat16, the last class at most": lambda one: _at_most_last(one, as_dtype("bfloat16")),
    "the label + 1": lambda one: (labels_of(one.problem) + 1) % one.problem.n_classes,
    "the label - 1": lambda one: (labels_of(one.problem) - 1) % one.problem.n_classes,
    "the label of the row before": lambda one: np.roll(labels_of(one.problem), 1),
    "the label of the next row": lambda one: np.roll(labels_of(one.problem), -1),
    "class K - 1 - label": lambda one: one.problem.n_classes - 1 - labels_of(one.problem),
    "class 0, whatever the label": lambda one: 0 * labels_of(one.problem),
    "the last class, whatever the label": lambda one: 0 * labels_of(one.problem) + one.problem.n_classes - 1,
    "the largest logit's class, whatever the label": lambda one: one.problem.logits64.argmax(axis=1),
    "the smallest logit's class, whatever the label": lambda one: one.problem.logits64.argmin(axis=1),
    "the label of the first row": lambda one: _everywhere(labels_of(one.problem)[0], one),
    "the label of the last row": lambda one: _everywhere(labels_of(one.problem)[-1], one),
    "the label of row N - 1 - row": lambda one: labels_of(one.problem)[::-1],
    "the labels, the smallest first": lambda one: np.sort(labels_of(one.problem)),
    "the labels, the largest first": lambda one: np.sort(labels_of(one.problem))[::-1],
    "the smallest label of the batch": lambda one: _everywhere(labels_of(one.problem).min(), one),
    "the largest label of the batch": lambda one: _everywhere(labels_of(one.problem).max(), one),
    "the label with its last bit changed": lambda one: np.minimum(
        labels_of(one.problem) ^ 1, one.problem.n_classes - 1
    ),
    "half the label": lambda one: labels_of(one.problem) // 2,
    "the label's size modulo K": lambda one: abs(labels_of(one.problem)) % one.problem.n_classes,
    "the label in the middle of the classes": lambda one: _everywhere(one.problem.n_classes // 2, one),
    "the row's number modulo K": lambda one: np.arange(one.problem.n_rows) % one.problem.n_classes,
}


def _everywhere(label: Any, one: Outcome) -> Array:
    return np.full(one.problem.n_rows, int(label))


def _in(one: Outcome, dtype: Any) -> Array:
    """The labels as numbers of another type, modulo the classes."""
    return np.asarray(np.nan_to_num(labels_of(one.problem).astype(dtype)).astype(np.int64) % one.problem.n_classes)


def _at_most_last(one: Outcome, dtype: Any) -> Array:
    """The same, where what is beyond the classes is the last of them."""
    labels = np.nan_to_num(labels_of(one.problem).astype(dtype).astype(np.float64))
    return np.asarray(np.minimum(labels, one.problem.n_classes - 1).astype(np.int64))


def with_other_labels() -> Iterator[Relation]:
    yield Relation(
        "lacks the target: it is p, divided as it should be",
        lambda one: one.seen.true_gradient + shares(one, labels_of(one.problem)),
    )
    yield Relation("is p - 2 one_hot", lambda one: one.seen.true_gradient - shares(one, labels_of(one.problem)))
    yield Relation(
        "is p/N - one_hot: the target is not divided by N",
        lambda one: one.seen.true_gradient + shares(one, labels_of(one.problem)) * (1 - denominator(one)),
    )
    for words, labels in OTHER_LABELS.items():
        yield Relation(f"is that of {words}", partial(_with_labels, labels=labels))


def with_shared_targets() -> Iterator[Relation]:
    """The target at other logits of the row that equal the label's."""
    for words, share in _EQUALS.items():
        yield Relation(f"has {words}", partial(_with_targets, share=share))


def _equals(one: Outcome) -> Array:
    x, labels = one.problem.mapped64, np.clip(labels_of(one.problem), 0, one.problem.n_classes - 1)
    return np.asarray(x == x[np.arange(len(x)), labels][:, None])


_EQUALS: dict[str, Callable[[Array], Array]] = {
    "the 1 shared among all logits that equal the label's": lambda same: same / same.sum(axis=1, keepdims=True),
    "the 1 at every logit that equals the label's": lambda same: same * 1.0,
    "the 1 at the first logit that equals the label's": lambda same: (np.cumsum(same, axis=1) == 1) & same,
    "the 1 at the last logit that equals the label's": lambda same: (
        (np.cumsum(same[:, ::-1], axis=1)[:, ::-1] == 1) & same
    ),
}


def _with_targets(one: Outcome, share: Callable[[Array], Array]) -> Array:
    own = shares(one, labels_of(one.problem))
    return np.asarray(one.seen.true_gradient + own - share(_equals(one)) / denominator(one))


def _with_labels(one: Outcome, labels: Callable[[Outcome], Array]) -> Array:
    return np.asarray(one.seen.true_gradient + shares(one, labels_of(one.problem)) - shares(one, labels(one)))


def with_other_rows(some: Sequence[Outcome]) -> Iterator[Relation]:
    """Other rows, with their labels or with the own ones: in reverse, shifted, the first, modulo a number."""
    first = min(int(np.flatnonzero(one.wrong_rows)[0]) for one in some)
    sizes = [size for size in dict.fromkeys((first, *(2**i for i in range(1, 18)))) if size > 1]
    places: dict[str, Callable[[Array], Array]] = {
        "row N - 1 - row": lambda rows: rows[::-1],
        "the row before": lambda rows: np.roll(rows, 1),
        "the next row": lambda rows: np.roll(rows, -1),
        "the row before, of the first row its own": lambda rows: np.maximum(rows - 1, 0),
        "the next row, of the last row its own": lambda rows: np.minimum(rows + 1, len(rows) - 1),
        "the other of the first two rows": lambda rows: _swapped(rows, 0, 1),
        "the other of the last two rows": lambda rows: _swapped(rows, len(rows) - 2, len(rows) - 1),
        "the other of the first and the last row": lambda rows: _swapped(rows, 0, len(rows) - 1),
        "the other of each two rows": lambda rows: np.minimum(rows ^ 1, len(rows) - 1),
        "the row that has half its number": lambda rows: rows // 2,
        "the row in the other half of the batch": lambda rows: np.roll(rows, len(rows) // 2),
        "row 0": lambda rows: 0 * rows,
        "the last row": lambda rows: 0 * rows + len(rows) - 1,
        **{f"row modulo {size}": partial(_modulo, size) for size in sizes},
        **{f"the row {size} before it": partial(_before, size) for size in sizes if 2 < size <= MAX_BEFORE},
    }
    for words, place in places.items():
        yield Relation(f"of a row is that of {words}", partial(_gradient_of_rows, place=place))
        yield Relation(f"of a row is that of the logits of {words}", partial(_with_logits_of_rows, place=place))
        yield Relation(f"of a row has the target of {words}", partial(_with_target_of_rows, place=place))


def with_rows_lost() -> Iterator[Relation]:
    """Rows moved by one, the last of which nothing is left."""
    for words, step in (("the row before, of the first row 0", 1), ("the next row, of the last row 0", -1)):
        yield Relation(f"of a row is that of {words}", partial(_moved, step=step))


def _moved(one: Outcome, step: int) -> Array:
    moved = np.roll(one.seen.true_gradient, step, axis=0)
    moved[0 if step > 0 else -1] = 0
    return moved


def _swapped(rows: Array, first: int, second: int) -> Array:
    """The rows, two of them swapped."""
    found = rows.copy()
    if 0 <= first and second < len(rows):
        found[[first, second]] = rows[[second, first]]
    return found


def _modulo(size: int, rows: Array) -> Array:
    return rows % size


def _before(size: int, rows: Array) -> Array:
    """The row so many before, of the first ones their own."""
    return np.where(rows >= size, rows - size, rows)


def _gradient_of_rows(one: Outcome, place: Callable[[Array], Array]) -> Array:
    """The gradient of other rows of the batch, with the labels that these have."""
    return np.asarray(one.seen.true_gradient[place(np.arange(one.problem.n_rows))])


def _with_logits_of_rows(one: Outcome, place: Callable[[Array], Array]) -> Array:
    """The gradient of other rows of the batch, with the own labels."""
    own = shares(one, labels_of(one.problem))
    return np.asarray((one.seen.true_gradient + own)[place(np.arange(one.problem.n_rows))] - own)


def _with_target_of_rows(one: Outcome, place: Callable[[Array], Array]) -> Array:
    """The gradient of the own logits, with the labels of other rows of the batch."""
    own = shares(one, labels_of(one.problem))
    return np.asarray(one.seen.true_gradient + own - own[place(np.arange(one.problem.n_rows))])


OTHER_LOGITS: dict[str, Callable[[Array], Array]] = {
    "the negated logits": lambda x: -x,
    "the sizes of the logits, without their signs": np.abs,
    "the logits, with 0 for the negative ones": lambda x: np.maximum(x, 0.0),
    "the logits with the classes in reverse order": lambda x: x[:, ::-1],
    "the logits read column after column": lambda x: x.ravel(order="F").reshape(x.shape),
    "logits that are all 0": lambda x: 0.0 * x,
    "the logits less the largest of their column": lambda x: x - x.max(axis=0, initial=-np.inf),
    "the logits less the mean of their column": lambda x: x - x.mean(axis=0),
}


def with_other_logits() -> Iterator[Relation]:
    for words, change in OTHER_LOGITS.items():
        yield Relation(f"is that of {words}", partial(_with_changed_logits, change=change))


def _with_changed_logits(one: Outcome, change: Callable[[Array], Array]) -> Array:
    return gradient_by_logits(one, change(one.problem.mapped64))


def _array(one: Outcome) -> Array:
    """The array that the logits of a trial are a view of, or they themselves."""
    logits = one.trial.spelled
    base = logits.base
    return base if isinstance(base, np.ndarray) and base.dtype == logits.dtype and base.ndim == 2 else logits


def _first_columns(one: Outcome) -> Array:
    shape, array = one.problem.logits.shape, _array(one)
    fits = array.shape[0] >= shape[0] and array.shape[1] >= shape[1]
    return np.asarray(array[: shape[0], : shape[1]] if fits else one.problem.logits, dtype=np.float64)


def _one_after_another(one: Outcome) -> Array:
    shape = one.problem.logits.shape
    return np.asarray(_array(one).ravel(order="K")[: shape[0] * shape[1]].reshape(shape), dtype=np.float64)


OTHER_MEMORY: dict[str, Callable[[Outcome], Array]] = {
    "the first N rows and K columns of the array that the logits are a view of": _first_columns,
    "the numbers in memory one after another, whatever the strides": _one_after_another,
}


def with_other_memory() -> Iterator[Relation]:
    for words, logits in OTHER_MEMORY.items():
        yield Relation(f"is that of {words}", partial(_with_memory, logits=logits))


def _with_memory(one: Outcome, logits: Callable[[Outcome], Array]) -> Array:
    return gradient_by_logits(one, logits(one))
