"""Relations that other probabilities give: of limited logits, limited themselves, over the wrong axis; and products."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from gradlab.localisation.numbers import roundest_between
from gradlab.localisation.relations.relation import (
    Relation,
    denominator,
    hot,
    reduced,
    row_losses,
    shares,
    softmax_over,
)
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array

CLOSE = 1.25  # times the largest probability that is taken for 0, that the smallest other one is at most
SEEN = 1e-6  # what a probability is at least that is read off the label's entry of a gradient
NEAR_LIMIT = 3.0  # times the largest 1 - p of those taken for 1, that the smallest other is at most
NEARLY_ONE = 4.0  # units of roundoff from 1, that a probability is which is taken for 1
DIGITS = (".2g", ".3g", ".5g")
Probabilities = Callable[[Outcome], Array]


def gradients_of_probabilities(some: Sequence[Outcome]) -> Iterator[Relation]:
    """Gradients p - t of other probabilities, and the right ones times a number that each row or entry has."""
    for words, other in (*_others(some), *_cut_off(some), *_saturated(some)):
        yield Relation(f"is that of {words}", partial(_less_targets, probabilities=other))
    yield from factors_of_entries()
    if any(one.problem.objective.class_weights is not None for one in some):
        for words, classes in _WEIGHED.items():
            yield Relation(f"of a row has the weight of {words}", partial(_with_weights, classes=classes))
    for power in _rounded([_read_off_power(one) for one in some]):
        factor = partial(_focal, power=power)
        yield Relation(f"is (1 - p_y)^{power:.4g} times what it should be", partial(_times, factor=factor))
    for most in _rounded([max(float(np.linalg.norm(one.seen.gradient)) for one in some)]):
        said = f"is cut off so that its norm is at most {most:.5g}"
        yield Relation(said, partial(_with_norm, most=most), domain=_has_a_norm)


def losses_of_probabilities(some: Sequence[Outcome]) -> Iterator[Relation]:
    """Losses -log p_y of other probabilities."""
    for words, other in _others(some):
        yield Relation(f"is that of {words}", partial(_minus_log, probabilities=other))
    for least in _rounded([float(np.exp(-one.seen.loss)) for one in some if one.problem.n_rows == 1]):
        yield Relation(f"of a row is at most {-np.log(least):.5g}, -log {least:.3g}", partial(_cut_losses, least=least))
        yield Relation(f"is -log(p + {least:.3g})", partial(_added, more=least))


def factors_of_entries() -> Iterator[Relation]:
    """The right gradient times a number that each entry has."""
    for words, factor in _FACTORS.items():
        yield Relation(f"is {words}", partial(_times, factor=factor))


def probabilities(one: Outcome) -> Array:
    return softmax_over(one.problem.mapped64, axis=1)


def _others(some: Sequence[Outcome]) -> Iterator[tuple[str, Probabilities]]:
    yield from _OTHERS.items()
    read = [found for one in some for found in _read_off(one)]
    for limit in _rounded([top for top, _ in read if np.isfinite(top)]):
        yield f"logits of at most {limit:.5g}", partial(_with_limited_logits, low=-np.inf, high=limit)
        if limit > 0:
            yield f"logits of at most {limit:.5g} in size", partial(_with_limited_logits, low=-limit, high=limit)
    for limit in _rounded([bottom for _, bottom in read if np.isfinite(bottom)]):
        yield f"logits of at least {limit:.5g}", partial(_with_limited_logits, low=limit, high=np.inf)
    for least in _rounded([float(one.min()) for one in _least(some)]):
        yield f"probabilities of at least {least:.3g}", partial(_limited, low=least, high=1.0)
        if least < 0.5:
            words = f"probabilities between {least:.3g} and 1 - {least:.3g}"
            yield words, partial(_limited, low=least, high=1 - least)


def _cut_off(some: Sequence[Outcome]) -> Iterator[tuple[str, Probabilities]]:
    """Probabilities of which the small ones are taken for 0; the limit is between those and the others."""
    lost, kept = list[float](), list[float]()
    for one in some:
        rows = one.wrong_rows & one.problem.rows_with_value
        p = probabilities(one)[rows]
        other = ~hot(one, labels_of(one.problem))[rows]
        is_zero = one.seen.gradient[rows] == 0
        lost += [float(p[is_zero & other].max(initial=0.0))]
        kept += [float(p[~is_zero & other].min(initial=1.0))]
    low, high = max(lost, default=0.0), min(kept, default=0.0)
    if not high / CLOSE < low < high < 1:
        return
    for limit in dict.fromkeys((roundest_between(low, high), high)):
        for words, label in (("", False), (" but for the label's", True)):
            said = f"probabilities of which those below about {limit:.3g} are 0{words}"
            yield said, partial(_without_small, limit=limit, label=label)
            yield f"{said}, and the others add up to 1", partial(_without_small_scaled, limit=limit, label=label)


def _saturated(some: Sequence[Outcome]) -> Iterator[tuple[str, Probabilities]]:
    """Probabilities that are 1 above a limit, as far from 1 as the one below which they are 0 is from 0, or alone."""
    ones, others = list[float](), list[float]()
    for one in some:
        rows = one.problem.rows_with_value
        p, own = probabilities(one)[rows], hot(one, labels_of(one.problem))[rows]
        taken = one.seen.gradient[rows] * denominator(one) + own  # p as it was taken
        is_one = np.abs(taken - 1) <= NEARLY_ONE * one.problem.format.unit_roundoff
        ones += [float((1 - p)[is_one].max(initial=0.0))]
        others += [float((1 - p)[~is_one].min(initial=1.0))]
    low, high = max(ones, default=0.0), min(others, default=0.0)
    if high / NEAR_LIMIT < low < high < 0.5:
        for limit in dict.fromkeys((roundest_between(low, high), high)):
            above = partial(_with_ones, limit=limit)
            yield f"probabilities of which those above about {1 - limit:.6g} are 1", partial(above, least=0.0)
            said = f"probabilities of which those above about {1 - limit:.6g} are 1, and those below {limit:.3g} are 0"
            yield said, partial(above, least=limit)


def _with_ones(one: Outcome, limit: float, least: float) -> Array:
    p = probabilities(one)
    return np.where(p > 1 - limit, 1.0, np.where(p < least, 0.0, p))


def _without_small(one: Outcome, limit: float, label: bool) -> Array:
    p = probabilities(one)
    kept = (p >= limit) | (hot(one, labels_of(one.problem)) & label)
    return np.where(kept | np.isnan(p), p, 0.0)


def _without_small_scaled(one: Outcome, limit: float, label: bool) -> Array:
    p = _without_small(one, limit, label)
    with np.errstate(all="ignore"):
        return np.asarray(p / p.sum(axis=1, keepdims=True))


def _read_off_power(one: Outcome) -> float:
    """The power of 1 - p_y by which the label's entry of a wrong row was multiplied; the middle of all rows."""
    rows = one.wrong_rows
    labels = hot(one, labels_of(one.problem))[rows]
    with np.errstate(all="ignore"):
        times = one.seen.gradient[rows][labels] / one.seen.true_gradient[rows][labels]
        powers = np.log(times) / np.log1p(-_label(one)[rows, 0])
    return float(np.median(powers)) if powers.size else np.nan


def _focal(one: Outcome, power: float) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray((1 - _label(one)) ** power)


def _in_dtype(one: Outcome, name: str) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(probabilities(one).astype(as_dtype(name)), dtype=np.float64)


def _sigmoid(one: Outcome) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(1 / (1 + np.exp(-one.problem.mapped64)))


def _undivided(one: Outcome) -> Array:
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        return np.asarray(np.exp(x - x.max(axis=1, keepdims=True)))


_OTHERS: dict[str, Probabilities] = {
    "probabilities over the rows, not over the classes": lambda one: softmax_over(one.problem.mapped64, axis=0),
    **{
        f"probabilities rounded to {name}": partial(_in_dtype, name=name) for name in ("float16", "bfloat16", "float32")
    },
    "squared probabilities": lambda one: probabilities(one) ** 2,
    "the roots of the probabilities": lambda one: np.sqrt(probabilities(one)),
    "1 - p in the place of p": lambda one: 1 - probabilities(one),
    "log p in the place of p": lambda one: np.log(probabilities(one)),
    "exp(x - max x), not divided by its sum": _undivided,
    "a sigmoid of each logit": _sigmoid,
}


def _read_off(one: Outcome) -> Iterator[tuple[float, float]]:
    """What the largest and the smallest logit of each wrong row were taken for, given the row's gradient."""
    x, rows = one.problem.mapped64, np.flatnonzero(one.wrong_entries.any(axis=1))[:8]
    labels = hot(one, labels_of(one.problem))
    with np.errstate(all="ignore"):
        p = one.seen.gradient * denominator(one) + labels
        logs = np.where(p > np.where(labels, SEEN, 0.0), np.log(p), np.nan)
    for row in rows[np.isfinite(x[rows]).all(axis=1)]:
        first, last = int(x[row].argmax()), int(x[row].argmin())
        apart = float(logs[row, first] - logs[row, last])
        if apart < (x[row, first] - x[row, last]) * (1 - SEEN):
            yield float(x[row, last] + apart), float(x[row, first] - apart)


def _least(some: Sequence[Outcome]) -> Iterator[Array]:
    """The probabilities that the wrong entries are made of, where these are no label's."""
    for one in some:
        marks = one.wrong_entries & ~hot(one, labels_of(one.problem))
        values = one.seen.gradient[marks] * denominator(one)
        values = values[np.isfinite(values) & (values > 0)]
        if values.size:
            yield values


def _rounded(seen: Sequence[float]) -> Iterator[float]:
    """The middle of what was seen, to ever more digits."""
    known = [value for value in seen if np.isfinite(value) and value]
    if known:
        middle = float(np.median(known))
        yield from dict.fromkeys((*(float(f"{middle:{digits}}") for digits in DIGITS), middle))


def _with_limited_logits(one: Outcome, low: float, high: float) -> Array:
    return softmax_over(np.clip(one.problem.mapped64, low, high), axis=1)


def _limited(one: Outcome, low: float, high: float) -> Array:
    return np.asarray(np.clip(probabilities(one), low, high))


def _less_targets(one: Outcome, probabilities: Probabilities) -> Array:
    return np.asarray(probabilities(one) / denominator(one) - shares(one, labels_of(one.problem)))


def _minus_log(one: Outcome, probabilities: Probabilities) -> Array:
    labels = np.clip(labels_of(one.problem), 0, one.problem.n_classes - 1)
    with np.errstate(all="ignore"):
        return reduced(one, -np.log(probabilities(one)[np.arange(len(labels)), labels]))


def _cut_losses(one: Outcome, least: float) -> Array:
    return reduced(one, np.minimum(row_losses(one), -np.log(least)))


def _added(one: Outcome, more: float) -> Array:
    with np.errstate(all="ignore"):
        return reduced(one, -np.log(np.exp(-row_losses(one)) + more))


def _times(one: Outcome, factor: Probabilities) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(factor(one) * one.seen.true_gradient)


def _with_norm(one: Outcome, most: float) -> Array:
    true = one.seen.true_gradient
    with np.errstate(all="ignore"):
        return np.asarray(true * np.minimum(1.0, most / np.linalg.norm(true)))


def _has_a_norm(one: Outcome) -> Array:
    return np.full(one.problem.n_rows, one.problem.rows_with_value.all())


def _label(one: Outcome) -> Array:
    """p of the label, (N, 1)."""
    return np.exp(-row_losses(one))[:, None]


def _size(one: Outcome) -> Array:
    """The norm of each row of the gradient before it is divided, (N, 1)."""
    return np.asarray(np.linalg.norm(one.seen.true_gradient * denominator(one), axis=1, keepdims=True))


def _with_weights(one: Outcome, classes: Callable[[Outcome], Array]) -> Array:
    """The gradient where the row of a label has the weight of another class."""
    given = one.problem.objective.class_weights
    weights = np.ones(one.problem.n_classes) if given is None else np.array(given)
    with np.errstate(all="ignore"):
        off = probabilities(one) - hot(one, labels_of(one.problem))
        return np.asarray(weights[classes(one)][:, None] * off / denominator(one))


_WEIGHED: dict[str, Callable[[Outcome], Array]] = {
    "the class of the largest logit": lambda one: one.problem.mapped64.argmax(axis=1),
    "the class of the smallest logit": lambda one: one.problem.mapped64.argmin(axis=1),
    "class 0": lambda one: 0 * labels_of(one.problem),
    "the class behind the label": lambda one: (labels_of(one.problem) + 1) % one.problem.n_classes,
}

_FACTORS: dict[str, Probabilities] = {
    "p_y times what it should be": _label,
    "p times what it should be, entry by entry": probabilities,
    "1 - p times what it should be, entry by entry": lambda one: 1 - probabilities(one),
    "p (1 - p) times what it should be, entry by entry": lambda one: probabilities(one) * (1 - probabilities(one)),
    "1 - p_y times what it should be": lambda one: 1 - _label(one),
    "the row's loss times what it should be": lambda one: row_losses(one)[:, None],
    "what it should be, each row with norm 1 at most": lambda one: 1 / np.maximum(1, _size(one)),
    "what it should be over the norm of the row": lambda one: 1 / _size(one),
}
