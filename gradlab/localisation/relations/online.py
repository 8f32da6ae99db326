"""Relations of sums that are made class after class, or tile after tile, and are rescaled wrongly on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from gradlab.localisation.relations.relation import Relation, denominator, reduced, shares
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.problem import Array

TILES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)  # classes that are summed at once
MOST = 1 << 12  # entries of a problem with which one class after another is gone through


@dataclass(frozen=True)
class Step:
    """What is done with each tile: the sum is multiplied by exp(scale), and the tile's exp(x - top) are added.

    Both are worked out from the maximum before the tile and the one with it.
    """

    scale: Callable[[Array, Array], Array]
    top: Callable[[Array, Array], Array]


def gradients_online() -> Iterator[Relation]:
    """Gradients p - t whose p are divided by such a sum."""
    for words, sums in _sums():
        yield Relation(f"is that of {words}", partial(_gradient, sums=sums), domain=_is_small)


def losses_online() -> Iterator[Relation]:
    """Losses log sum - (x_y - max x) with such a sum."""
    for words, sums in _sums():
        yield Relation(f"is that of {words}", partial(_loss, sums=sums), domain=_is_small)


def _sums() -> Iterator[tuple[str, Callable[[Outcome], Array]]]:
    for tile in TILES:
        each = "class after class" if tile == 1 else f"{tile} classes after {tile}"
        for words, step in _STEPS.items():
            yield f"a sum made {each} that {words} where the maximum grows", partial(_summed, tile=tile, step=step)


def _is_small(one: Outcome) -> Array:
    return np.full(one.problem.n_rows, one.problem.logits.size <= MOST)


def _summed(one: Outcome, tile: int, step: Step) -> Array:
    """The sum of exp(x - the last maximum) as it comes out, (N,)."""
    x = one.problem.mapped64
    starts = np.arange(0, x.shape[1], tile)
    with np.errstate(all="ignore"):
        new = np.maximum.accumulate(np.maximum.reduceat(x, starts, axis=1), axis=1)
        before = np.concatenate([new[:, :1], new[:, :-1]], axis=1)
        before = np.where(before == -np.inf, new, before)
        top = np.repeat(step.top(before, new), tile, axis=1)[:, : x.shape[1]]
        added = np.add.reduceat(np.where(x == -np.inf, 0.0, np.exp(x - top)), starts, axis=1)
        scale = np.nan_to_num(step.scale(before, new), neginf=-np.inf)
        return np.asarray((added * np.exp(_later(scale))).sum(axis=1))


def _later(scale: Array) -> Array:
    """The sums of what is behind each, where some are -inf, too."""
    behind = np.concatenate([scale[:, 1:], np.zeros((len(scale), 1))], axis=1)
    return np.asarray(np.cumsum(behind[:, ::-1], axis=1)[:, ::-1])


_STEPS = {
    "is not rescaled": Step(lambda before, new: 0 * new, lambda before, new: new),
    "has new terms scaled by the maximum before": Step(lambda before, new: before - new, lambda before, new: before),
    "is rescaled with its new terms once more": Step(
        lambda before, new: before - new, lambda before, new: 2 * new - before
    ),
    "is rescaled the wrong way round": Step(lambda before, new: new - before, lambda before, new: new),
    "is begun again": Step(lambda before, new: np.where(new > before, -np.inf, 0.0), lambda before, new: new),
}


def _gradient(one: Outcome, sums: Callable[[Outcome], Array]) -> Array:
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        p = np.exp(x - x.max(axis=1, keepdims=True)) / (sums(one)[:, None] * denominator(one))
    return np.asarray(p - shares(one, labels_of(one.problem)))


def _loss(one: Outcome, sums: Callable[[Outcome], Array]) -> Array:
    x, labels = one.problem.mapped64, np.clip(labels_of(one.problem), 0, one.problem.n_classes - 1)
    with np.errstate(all="ignore"):
        return reduced(one, np.log(sums(one)) + (x.max(axis=1) - x[np.arange(len(x)), labels]))
