"""From which margin on the target's entry of a gradient is exactly 0, found by bisection over a format's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.call import Implementation, evaluate
from gradlab.problems.dtypes import Format
from gradlab.problems.families.placing import rounds_to_one, underflows
from gradlab.problems.problem import Problem

NEIGHBOURS = 8  # on either side, asked one by one


@dataclass(frozen=True)
class Vanishing:
    """The smallest margin M at which the target's entry is 0, for logits (M, 0) and label 0; None if none was found.

    confirmed: whether it is not 0 at the NEIGHBOURS numbers below M, and 0 at M and at as many above it. What lies
    beyond them is not asked: bisection takes it that an entry once 0 stays so.
    """

    margin: float | None
    confirmed: bool = False


def vanishing_margin(implementation: Implementation, fmt: Format) -> Vanishing:
    """Where the target's entry becomes 0 in a format. It should at `underflows(fmt)`, where the exact one rounds to 0.

    Looked for below twice the margin that rounds p_y to 1, then below twice the one that should make it 0, then below
    the largest number: a form that overflows in between answers NaN there.
    """
    vanishes = partial(_vanishes, implementation, fmt)
    for top in (2 * rounds_to_one(fmt), 2 * underflows(fmt), fmt.largest):
        first = int(np.asarray(top).astype(fmt.dtype).view(_unsigned_dtype(fmt)))
        if vanishes(first):
            break
    else:
        return Vanishing(None)
    below = 0
    while first - below > 1:
        middle = (first + below) // 2
        below, first = (below, middle) if vanishes(middle) else (middle, first)
    around = [vanishes(bits) for bits in range(max(0, first - NEIGHBOURS), first + NEIGHBOURS + 1)]
    return Vanishing(margin_of(first, fmt), around == [bits >= 0 for bits in range(-NEIGHBOURS, NEIGHBOURS + 1)])


def margin_of(bits: int, fmt: Format) -> float:
    """The number of a format with these bits, in float64."""
    return float(np.array(bits, dtype=_unsigned_dtype(fmt)).view(fmt.dtype).astype(np.float64))


def _vanishes(implementation: Implementation, fmt: Format, bits: int) -> bool:
    logits = np.array([[margin_of(bits, fmt), 0]]).astype(fmt.dtype)
    given = evaluate(implementation, adapt_to_claims(implementation.claims, Problem(logits, np.array([0]))))
    return given.gradient is not None and bool(given.gradient[0, 0] == 0)


def _unsigned_dtype(fmt: Format) -> str:
    return f"u{fmt.dtype.itemsize}"
