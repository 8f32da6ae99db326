"""Readings with a number that is read off wrong answers: sizes of blocks, limits, the length of a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from gradlab.localisation.layer.parts import Parts, parts_of
from gradlab.localisation.layer.reading import Reading
from gradlab.localisation.layer.trial import LayerOutcome
from gradlab.localisation.relations.fitting import medians, spelled
from gradlab.problems.problem import Array

LARGEST = 512  # rows or classes of a block
MAX_SIZES = 4  # that are tried
DECIMALS = range(1, 7)


def read_off_sizes(output: str, few: Sequence[LayerOutcome]) -> tuple[int, ...]:
    """Sizes of blocks that agree with how many of the first or of the last rows, or classes, are in an output."""
    if output not in ("dX", "dW", "db"):
        return ()
    found: list[int] = []
    for count in (_first_rows, _last_rows, _first_classes):
        counted = [count(output, one) for one in few if one.seen[output].shape == one.truth[output].shape]
        told = [one for one in counted if one is not None]
        if len(told) == len(few):
            found += [size for size in range(2, LARGEST) if all(size in sizes for sizes in told)][:MAX_SIZES]
    return tuple(dict.fromkeys(found))


def _first_rows(output: str, one: LayerOutcome) -> set[int] | None:
    """The sizes of which the rows in whole blocks come to what is seen, or those of a first block."""
    n = one.problem.n_rows
    kept = _counts(output, one, lambda count: np.arange(n) < count)
    return {size for size in range(2, LARGEST) if kept.intersection((n // size * size, min(size, n)))}


def _last_rows(output: str, one: LayerOutcome) -> set[int] | None:
    """The sizes of which the rows in the last block come to what is seen."""
    n = one.problem.n_rows
    kept = _counts(output, one, lambda count: np.arange(n) >= n - count)
    return {size for size in range(2, LARGEST) if n - (n - 1) // size * size in kept}


def _counts(output: str, one: LayerOutcome, rows: Callable[[int], Array]) -> set[int]:
    """How many rows come to what is seen."""
    parts = parts_of(one.problem)
    found = set()
    for count in range(one.problem.n_rows + 1):
        probabilities, targets, *penalty = replace(parts, shares=rows(count) * 1.0).terms(output)
        if one.is_near(output, probabilities - targets + sum(penalty)):
            found.add(count)
    return found


def _first_classes(output: str, one: LayerOutcome) -> set[int] | None:
    """The sizes in whole blocks of which there are classes that are not 0."""
    seen, k = one.seen[output], one.problem.n_classes
    if output == "dX":
        return None
    used = np.flatnonzero(seen.reshape(-1, k).any(axis=0))
    count = int(used[-1]) + 1 if used.size else 0
    return {size for size in range(2, LARGEST) if k // size * size == count}


def readings_read_off(output: str, few: Sequence[LayerOutcome]) -> Iterator[Reading]:
    """Readings of an output with a number in them that is read off these answers."""
    if few[0].seen[output].ndim == 0:
        return
    for limit in medians([np.abs(one.seen[output]).max(initial=0.0) for one in few]):
        yield Reading(f"it is clipped to {spelled(limit)}", finish=partial(np.clip, a_min=-limit, a_max=limit))
    for digits in DECIMALS:
        yield Reading(f"it is rounded to {digits} decimals", finish=_rounding_to(digits))
    if output == "dX":
        for rate in medians([_rate(one) for one in few]):
            yield Reading(
                f"its weight is the one after a step of {spelled(rate)}",
                lambda parts, rate=rate: replace(parts, weight=_stepped(parts, rate)),  # type: ignore[misc]
            )


def _rounding_to(digits: int) -> Callable[[Array], Array]:
    return lambda output: np.asarray(np.round(output, digits))


def _rate(one: LayerOutcome) -> Array:
    """How long a step of the weight is by which dX comes to what is seen, by least squares."""
    parts = parts_of(one.problem)
    probabilities, targets = replace(parts, weight=parts.weight - _stepped(parts, 1.0)).terms("dX")
    change, off = (targets - probabilities).ravel(), (one.seen["dX"] - one.truth["dX"]).ravel()
    return np.asarray(change @ off / (change @ change) if change.any() else np.nan)


def _stepped(parts: Parts, rate: float) -> Array:
    """The weight after a step of gradient descent."""
    probabilities, targets, penalty = parts.terms("dW")
    return np.asarray(parts.weight - rate * (probabilities - targets + penalty))
