"""What a call costs, over what it is to be compared with: by the clock of the process that judges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.harness.scopes import scope_of
from gradlab.judged.clock import ROUNDS, clock
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Shape

SHAPE: Shape = (256, 1000)
LEAST = 1e-7  # seconds: shorter times are not measured


@dataclass(frozen=True)
class Cost:
    """What calls of one shape cost, the median of some.

    seconds: of a call. over_yardstick: over exp and row sums of the same logits. over_limit: over reading each logit
    once and writing each entry of the gradient once, which nothing can do without. note: why there is none of these.
    fault: what is wrong with a timed call, after which there is none of these either.
    """

    dtype: str
    shape: Shape
    seconds: float | None = None
    over_yardstick: float | None = None
    over_limit: float | None = None
    note: str = ""
    fault: str = ""


def cost_of(implementation: Implementation, dtype: str, nothing: Implementation) -> Cost:
    """What a call costs; nothing: of `clock.nothing_at`."""
    without = Cost(dtype, SHAPE)
    if scope_of(implementation.claims).name != "logits" or implementation.claims.derivative != "gradient":
        return replace(without, note="only losses of logits that return a gradient are timed")
    clocked = clock(implementation, SHAPE, dtype, nothing)
    if clocked.fault:
        return replace(without, fault=clocked.fault)
    limit = max(LEAST, _seconds_to_copy(dtype))
    calls = [max(limit, one) for one in clocked.calls]  # what is measured to be faster was disturbed
    ratios = [own / max(LEAST, other) for own, other in zip(calls, clocked.yardstick, strict=True)]
    seconds = median(calls)
    return replace(without, seconds=seconds, over_yardstick=median(ratios), over_limit=seconds / limit)


def _seconds_to_copy(dtype: str) -> float:
    """The median time of a copy of the logits."""
    source = np.ones(SHAPE, as_dtype(dtype))
    target, times = np.empty_like(source), []
    for _ in range(ROUNDS):
        began = perf_counter()
        np.copyto(target, source)
        times.append(perf_counter() - began)
    return median(times)
