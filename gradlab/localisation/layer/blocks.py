"""Readings of rows, classes and features by their places in blocks of one size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from gradlab.localisation.layer.parts import Parts
from gradlab.localisation.layer.reading import Reading
from gradlab.problems.problem import Array

Shares = Callable[[int], Array]  # of so many rows, classes or features, which count


def readings_of_blocks(size: int) -> Iterator[Reading]:
    """Rows, classes or features by their places in blocks of this size; where there is one block, all may count."""
    whole = f"beyond the last whole block of {size}"
    kinds: dict[str, Shares] = {
        whole: lambda n: np.arange(n) < n // size * size,
        f"{whole}, where there is one,": lambda n: np.arange(n) < max(n // size, 1) * size,
        f"before the last block of {size}": lambda n: np.arange(n) >= (n - 1) // size * size,
        f"after the first {size}": lambda n: np.arange(n) < size,
        f"among the first {size}": lambda n: np.arange(n) >= size,
        f"after the first block of {size}, the last block apart,": lambda n: _first_and_last(n, size),
    }
    for said, kept in kinds.items():
        yield from _readings_of_places(said, kept)
    yield Reading(
        f"the mean is that of the means of blocks of {size} rows",
        lambda parts: replace(parts, shares=_by_block(len(parts.shares), size)),
    )


def readings_of_ends() -> Iterator[Reading]:
    """The first or the last row, class or feature apart from the others, or every second one."""
    kinds: dict[str, Shares] = {
        "that are the last": lambda n: np.arange(n) < n - 1,
        "that are the first": lambda n: np.arange(n) > 0,
        "other than the last": lambda n: np.arange(n) == n - 1,
        "other than the first": lambda n: np.arange(n) == 0,
        "with an odd number": lambda n: np.arange(n) % 2 == 0,
        "with an even number": lambda n: np.arange(n) % 2 == 1,
        "in the second half": lambda n: np.arange(n) < n // 2,
    }
    for said, kept in kinds.items():
        yield from _readings_of_places(said, kept)


def _readings_of_places(said: str, kept: Shares) -> Iterator[Reading]:
    yield Reading(f"rows {said} are left out", lambda parts: _rows_kept(parts, kept))
    yield Reading(f"classes {said} are 0", lambda parts: _entries_kept(parts, kept, -1), ("dW", "db"))
    yield Reading(f"features {said} are 0", lambda parts: _features_kept(parts, kept), ("dX", "dW"))
    yield Reading(f"classes {said} are left out of the sums", lambda parts: _classes_kept(parts, kept))
    yield Reading(f"features {said} are left out of the logits", lambda parts: _logits_of(parts, kept))
    yield Reading(f"classes {said} are left out", lambda parts: _weight_kept(parts, kept), ("dX",))


def _first_and_last(n: int, size: int) -> Array:
    places = np.arange(n)
    return (places < size) | (places >= (n - 1) // size * size)


def _by_block(n: int, size: int) -> Array:
    """What each row counts where the means of blocks are averaged, beside 1."""
    blocks = np.arange(n) // size
    counts = np.bincount(blocks, minlength=1)
    return np.asarray(n / len(counts) / counts[blocks])


def _rows_kept(parts: Parts, kept: Shares) -> Parts:
    return replace(parts, shares=parts.shares * kept(len(parts.shares)))


def _entries_kept(parts: Parts, kept: Shares, axis: int) -> Parts:
    return replace(parts, finish=lambda output, term: term * kept(term.shape[axis]))


def _features_kept(parts: Parts, kept: Shares) -> Parts:
    marks = kept(parts.problem.n_features)
    return replace(parts, finish=lambda output, term: term * (marks if output == "dX" else marks[:, None]))


@np.errstate(all="ignore")
def _classes_kept(parts: Parts, kept: Shares) -> Parts:
    z = parts.problem.float64_logits
    shifted = z - z.max(axis=1, keepdims=True)
    sums = (np.exp(shifted) * kept(z.shape[1])).sum(axis=1, keepdims=True)
    return replace(parts, log_probabilities=shifted - np.log(sums))


def _logits_of(parts: Parts, kept: Shares) -> Parts:
    problem = parts.problem
    features = problem.features64 * kept(problem.n_features)
    return parts.with_logits(features @ problem.weight64 + problem.bias64)


def _weight_kept(parts: Parts, kept: Shares) -> Parts:
    return replace(parts, weight=parts.weight * kept(parts.problem.n_classes))
