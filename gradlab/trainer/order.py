"""In which order a trainer takes its minibatches: one that it reports, or that of a usual generator from its seed.

Which generator it is, and what is done with it, is found on a small training: of all usual ways the first that exact
descent comes to the trainer's weights with.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np

from gradlab.problems.problem import Array
from gradlab.trainer.descent import distance_to, end_of_descent
from gradlab.trainer.problem import TrainerProblem

SEED = 0  # that every trainer is given which takes one
OWN_SEEDS = (0, 1, 42, 123)  # of trainers that take none


Makers = Mapping[str, Callable[[int], Any]]  # generators by name, each made from a seed


@dataclass(frozen=True)
class Way:
    """A usual way to an order. sentence: what it is. make: the generator of a seed; draw: the batches drawn from it.

    after_start: whether the weights of the start were drawn from it first. drops: whether rows at the end of an epoch
    that do not fill a batch are left out.
    """

    sentence: str
    seed: int
    make: Callable[[int], Any]
    draw: Callable[[Any, TrainerProblem], Iterator[Array]]
    after_start: bool
    drops: bool

    @property
    def repeats(self) -> bool:
        """Whether a row may be drawn twice, and others not at all, also where a batch is as large as the data."""
        return self.draw in (_chosen_repeatedly, _drawn_repeatedly)

    def ordered(self, problem: TrainerProblem, by_epochs: bool) -> TrainerProblem:
        """The problem with its rows in this order. by_epochs: whether the trainer counts epochs, and not steps."""
        generator = self.make(self.seed)
        if self.after_start:
            generator.normal(size=(problem.n_features, problem.n_classes))
        size, n_steps = problem.batch_size or problem.n_rows, problem.n_steps
        batches = self.draw(generator, problem)
        if self.drops:
            batches = (one for one in batches if len(one) == size)
            n_steps = n_steps // problem.n_batches * (problem.n_rows // size) if by_epochs else n_steps
        return problem.replace(turns=tuple(islice(batches, max(n_steps, 1))), n_steps=n_steps)


def split(rows: Array, size: int) -> list[Array]:
    """The rows of an epoch as batches, the last of which may be smaller."""
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def reported_turns(problem: TrainerProblem, order: Iterable[Array]) -> tuple[Array, ...]:
    """The rows of each batch, out of what a trainer reports: those of an epoch are parted."""
    size = problem.batch_size or problem.n_rows
    return tuple(batch for one in order for batch in split(one, size))


def way_of(problem: TrainerProblem, parameters: Array, ways: Iterable[Way], by_epochs: bool) -> Way | None:
    """The way by which exact descent comes to these parameters of a small training; None where none does."""
    for way in ways:
        end = end_of_descent(way.ordered(problem, by_epochs))
        if distance_to(end, parameters)[0] <= end.proved:
            return way
    return None


def _fresh(generator: Any, problem: TrainerProblem) -> Iterator[Array]:
    while True:
        yield from split(generator.permutation(problem.n_rows), problem.batch_size or problem.n_rows)


def _shuffled(generator: Any, problem: TrainerProblem) -> Iterator[Array]:
    while True:
        rows = np.arange(problem.n_rows)
        generator.shuffle(rows)
        yield from split(rows, problem.batch_size or problem.n_rows)


def _shuffled_again(generator: Any, problem: TrainerProblem) -> Iterator[Array]:
    rows = np.arange(problem.n_rows)
    while True:
        generator.shuffle(rows)
        yield from split(rows.copy(), problem.batch_size or problem.n_rows)


def _permuted_again(generator: Any, problem: TrainerProblem) -> Iterator[Array]:
    rows = np.arange(problem.n_rows)
    while True:
        rows = rows[generator.permutation(problem.n_rows)]
        yield from split(rows, problem.batch_size or problem.n_rows)


def _once(generator: Any, problem: TrainerProblem) -> Iterator[Array]:
    rows = generator.permutation(problem.n_rows)
    while True:
        yield from split(rows, problem.batch_size or problem.n_rows)


def _chosen(generator: Any, problem: TrainerProblem) -> Iterator[Array]:
    while True:
        yield generator.choice(problem.n_rows, problem.batch_size or problem.n_rows, replace=False)


def _chosen_repeatedly(generator: Any, problem: TrainerProblem) -> Iterator[Array]:
    while True:
        yield generator.choice(problem.n_rows, problem.batch_size or problem.n_rows)


def _drawn_repeatedly(generator: Any, problem: TrainerProblem) -> Iterator[Array]:
    draw = generator.integers if hasattr(generator, "integers") else generator.randint
    while True:
        yield draw(0, problem.n_rows, problem.batch_size or problem.n_rows)


class _OfPython:
    """`random.Random`, with the names of NumPy's generators."""

    def __init__(self, seed: int) -> None:
        self.generator = random.Random(seed)

    def shuffle(self, rows: Array) -> None:
        as_list = rows.tolist()
        self.generator.shuffle(as_list)
        rows[:] = as_list

    def permutation(self, count: int) -> Array:
        return np.array(self.generator.sample(range(count), count))

    def choice(self, count: int, size: int, replace: bool = True) -> Array:
        if replace:
            return np.array(self.generator.choices(range(count), k=size))
        return np.array(self.generator.sample(range(count), size))

    def randint(self, low: int, high: int, size: int) -> Array:
        return np.array([self.generator.randrange(low, high) for _ in range(size)])


_MAKERS: Makers = {
    "numpy.random.default_rng": np.random.default_rng,
    "numpy.random.RandomState": np.random.RandomState,
    "random.Random": _OfPython,
}
_DRAWS = {
    "a permutation of all rows for each epoch": _fresh,
    "all rows shuffled for each epoch": _shuffled,
    "all rows shuffled again for each epoch": _shuffled_again,
    "all rows permuted again for each epoch": _permuted_again,
    "one permutation of all rows": _once,
    "different rows chosen for each step": _chosen,
    "rows chosen for each step, some of them twice": _chosen_repeatedly,
    "rows drawn for each step, some of them twice": _drawn_repeatedly,
}


def usual_ways(seeds: tuple[int, ...] = (SEED,), more: Makers | None = None) -> Iterator[Way]:
    """All usual ways with each of the seeds, the likeliest first. more: the generators of a framework, tried first."""
    makers = {**(more or {}), **_MAKERS}
    for after_start, drops, seed, (name, make), (words, draw) in product(
        (False, True), (False, True), seeds, makers.items(), _DRAWS.items()
    ):
        if after_start and make is _OfPython:
            continue
        after = ", after the start" if after_start else ""
        left_out = ", without the rows at its end that do not fill a batch" if drops else ""
        yield Way(f"{words}{left_out}, by {name}({seed}){after}", seed, make, draw, after_start, drops)
