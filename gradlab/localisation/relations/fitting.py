"""Numbers that are read off wrong answers: the same for each, but for rounding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gradlab.problems.problem import Array

DIGITS = (".2g", ".3g", ".5g")


def spelled(value: float) -> str:
    """The number with five digits; one near to 1 with as many as tell it from 1."""
    return f"{value:.5g}" if abs(value - 1) > 1e-3 else f"{1 + float(f'{value - 1:.3g}'):.12g}"


def medians(seen: Sequence[Array]) -> Iterator[float]:
    """The middle of the numbers that were read off, to ever more digits; none where they are 0, or nothing."""
    known = np.concatenate([np.zeros(0), *(np.ravel(one) for one in seen)])
    known = known[np.isfinite(known)]
    if known.size and (middle := float(np.median(known))):
        yield from dict.fromkeys((*(float(f"{middle:{digits}}") for digits in DIGITS), middle))
