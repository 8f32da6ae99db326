"""Relations that hold where only some classes count: those with the largest logits, or every second one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from gradlab.localisation.relations.relation import Relation, gradient_by_logits, hot, reduced, row_losses, softmax_over
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.problem import Array

COUNTS = (1, 2, 3, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 256)  # that are kept, where nothing is read off
MASSES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)  # of probability, after which the rest is left out


def gradients_of_some_classes() -> Iterator[Relation]:
    """Gradients in which every second class is left out, before the softmax or behind it."""
    for among, kept in _EVERY_SECOND.items():
        yield Relation(f"is that of {among} alone", partial(_gradient_of_kept, kept=kept))
        yield Relation(f"is 0 but for {among}", partial(_zeroed, kept=kept))


def losses_of_some_classes() -> Iterator[Relation]:
    """Losses whose sum leaves out every second class."""
    for among, kept in _EVERY_SECOND.items():
        yield Relation(f"is that of a sum over {among} alone", partial(_loss_of_kept, kept=kept))


def gradients_of_largest(some: Sequence[Outcome]) -> Iterator[Relation]:
    """Gradients in which all classes but the largest few are left out, before the softmax or behind it."""
    for count in _counts(some):
        domain = partial(_is_told, count=count)
        for words, label in _LABELS:
            among = f"the {count} largest logits{words}"
            kept = partial(_kept, count=count, label=label)
            yield Relation(f"is that of {among} alone", partial(_gradient_of_kept, kept=kept), domain=domain)
            yield Relation(f"is 0 but for {among}", partial(_zeroed, kept=kept), domain=domain)
        yield Relation(
            f"is that of a sum over the {count} largest logits alone", partial(_divided, count=count), domain=domain
        )


def losses_of_largest() -> Iterator[Relation]:
    """Losses whose sum is that of the largest few classes."""
    for count in COUNTS:
        domain = partial(_is_told, count=count)
        for words, label in _LABELS:
            kept = partial(_kept, count=count, label=label)
            among = f"a sum over the {count} largest logits{words} alone"
            yield Relation(f"is that of {among}", partial(_loss_of_kept, kept=kept), domain=domain)


def gradients_of_mass() -> Iterator[Relation]:
    """Gradients in which the small classes are left out that come after so much probability, before or behind it."""
    for among, kept in _MASSES.items():
        domain = partial(_is_plain, kept=kept)
        yield Relation(f"is that of {among} alone", partial(_gradient_of_kept, kept=kept), domain=domain)
        yield Relation(f"is 0 but for {among}", partial(_zeroed, kept=kept), domain=domain)


def losses_of_mass() -> Iterator[Relation]:
    """Losses whose sum leaves the same classes out."""
    for among, kept in _MASSES.items():
        domain = partial(_is_plain, kept=kept)
        yield Relation(f"is that of a sum over {among} alone", partial(_loss_of_kept, kept=kept), domain=domain)


_LABELS = (("", False), (" and the label's", True))


def _every_second(one: Outcome, first: int, label: bool) -> Array:
    even = np.arange(one.problem.n_classes) % 2 == first
    return np.asarray(even | (hot(one, labels_of(one.problem)) & label))


_EVERY_SECOND = {
    f"the {which} classes{words}": partial(_every_second, first=first, label=label)
    for first, which in enumerate(("even", "odd"))
    for words, label in _LABELS
}


def _largest_by_mass(one: Outcome, mass: float, label: bool, more: float = 0.0) -> Array:
    """The classes with the largest logits, as many as it takes for their probabilities to add up to that much."""
    order = np.argsort(-one.problem.mapped64, axis=1, kind="stable")
    p = np.take_along_axis(softmax_over(one.problem.mapped64, axis=1), order, axis=1)
    kept = np.zeros(p.shape, dtype=bool)
    np.put_along_axis(kept, order, np.cumsum(p, axis=1) - p < mass + more, axis=1)
    return np.asarray(kept | (hot(one, labels_of(one.problem)) & label))


def _is_plain(one: Outcome, kept: partial[Array]) -> Array:
    """For which rows it is plain which classes are kept: a little more or less changes nothing, no two are alike."""
    x = np.sort(one.problem.mapped64, axis=1)
    differ = (np.diff(x, axis=1) != 0).all(axis=1)
    return np.asarray(differ & (kept(one, more=1e-4) == kept(one, more=-1e-4)).all(axis=1))


_MASSES = {
    f"the largest logits that make up {mass:g} of the probability{words}": partial(
        _largest_by_mass, mass=mass, label=label
    )
    for mass in MASSES
    for words, label in _LABELS
}


def _counts(some: Sequence[Outcome]) -> list[int]:
    """How many entries of a wrong row are not 0, or one less; then those that are usual."""
    seen = [np.count_nonzero(one.seen.gradient[one.wrong_rows], axis=1) for one in some]
    middle = int(np.median(np.concatenate([*seen, np.zeros(0, dtype=np.int64)]))) if seen else 0
    return [count for count in dict.fromkeys((middle, middle - 1, *COUNTS)) if count > 0]


def _kept(one: Outcome, count: int, label: bool) -> Array:
    x = one.problem.mapped64
    least = np.sort(x, axis=1)[:, -min(count, x.shape[1])][:, None]
    return np.asarray((x >= least) | (hot(one, labels_of(one.problem)) & label))


def _is_told(one: Outcome, count: int) -> Array:
    """For which rows it is plain which the largest are: the next one is smaller."""
    x = np.sort(one.problem.mapped64, axis=1)
    if x.shape[1] <= count:
        return np.ones(len(x), dtype=bool)
    return np.asarray(x[:, -count] > x[:, -count - 1])


def _gradient_of_kept(one: Outcome, kept: partial[Array]) -> Array:
    return gradient_by_logits(one, np.where(kept(one), one.problem.mapped64, -np.inf))


def _zeroed(one: Outcome, kept: partial[Array]) -> Array:
    return np.where(kept(one), one.seen.true_gradient, 0.0)


def _divided(one: Outcome, count: int) -> Array:
    x, own = one.problem.mapped64, hot(one, labels_of(one.problem))
    scale = float(one.problem.n_rows) if one.problem.objective.reduction == "mean" else 1.0
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        top = np.sort(e, axis=1)[:, -min(count, x.shape[1]) :].sum(axis=1, keepdims=True)
        return np.asarray((e / top - own) / scale)


def _loss_of_kept(one: Outcome, kept: partial[Array]) -> Array:
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        some = np.where(kept(one), e, 0.0).sum(axis=1)
        return reduced(one, row_losses(one) + np.log(some / e.sum(axis=1)))
