"""An inequality of the proof, and how much of what it allows was used up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flint import arb, ctx

SHOWN = {"float32": 5.0, "float64": 4.0}  # ULP: what docs/implementations.md says of what was found
PRECISION = 320  # bits: some 200 more than any square of a rounding needs


Used = Iterator[tuple[str, float]]  # the name of an inequality, and how much of it was used


@dataclass(frozen=True)
class Inequality:
    """step: of docs/accuracy.md; statement: what is asked; why: how it is proved.

    far_from_it: why no input comes near to it, where none does; is_exact: left = right, so that nothing can be used up.
    """

    name: str
    step: str
    statement: str
    why: str
    far_from_it: str = ""
    is_exact: bool = False


def share(left: arb | float, right: arb | float) -> float:
    """An upper bound of left / right, 0 where the left side is 0, inf where the right side may be 0 and left is not."""
    ctx.prec = PRECISION
    left, right = abs(arb(left)), arb(right)
    if left == 0:
        return 0.0
    if not right > 0:
        return math.inf
    quotient = left / right
    return float(quotient.abs_upper()) if quotient.is_finite() else math.inf


def largest(found: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The most that was used of each."""
    most: dict[str, float] = {}
    for name, ratio in found:
        most[name] = max(ratio, most.get(name, 0.0))
    return most


def holds_exactly(difference: arb) -> float:
    """0 where a difference that must vanish does, inf where it does not."""
    return 0.0 if difference == 0 else math.inf
