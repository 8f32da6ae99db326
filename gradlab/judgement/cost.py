"""What a call costs by the clock of the process that judges, on arrays that no call has seen before.

The judged process is not asked for the time: its clock is in the hands of the code under test. What a call takes here
includes sending it there, which is measured with a function that does nothing, in turn, and taken off. All that is
timed is judged, too: a wrong answer in a timed call leaves no cost, but a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.call import CallFaultError, Implementation, call_for, settle
from gradlab.evaluation.capture import IN_PROCESS
from gradlab.evaluation.foreign import ForeignError
from gradlab.harness.scopes import scope_of
from gradlab.harness.tally import results_of
from gradlab.measure.timing import yardstick
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array, Problem, Shape

SHAPE: Shape = (256, 1000)
ROUNDS = 5
TRIES = 3  # of the yardstick and the limit, of which the fastest counts
SPREAD = 3.0  # of normal logits
LEAST = 1e-6  # seconds: what nothing is faster than


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


def cost_of(implementation: Implementation, dtype: str, seed: int, nothing: Callable[..., Any]) -> Cost:
    """What a call costs. seed: of the logits. nothing: `nothing.loss` in a process like that of the implementation."""
    without = Cost(dtype, SHAPE)
    if scope_of(implementation.claims).name != "logits" or implementation.claims.derivative != "gradient":
        return replace(without, note="only losses of logits that return a gradient are timed")
    generator = np.random.default_rng((seed, *SHAPE))
    rounds = [_Round() for _ in range(ROUNDS)]
    for one in rounds:
        problem = _drawn(implementation, dtype, generator)
        call = call_for(implementation, problem)
        try:
            own, value = _seconds(partial(settle, implementation.function, call))
        except (CallFaultError, ForeignError) as error:
            return replace(without, fault=f"a timed call {_said(error)}")
        if fault := _fault(implementation, problem, value):
            return replace(without, fault=fault)
        one.fill(own - _seconds(partial(nothing, *call.arguments))[0], problem.logits)
    return replace(
        without,
        seconds=median(one.seconds for one in rounds),
        over_yardstick=median(one.seconds / one.yardstick for one in rounds),
        over_limit=median(one.seconds / one.limit for one in rounds),
    )


class _Round:
    """Times of one round, in seconds, on the same logits."""

    def __init__(self) -> None:
        self.seconds = self.yardstick = self.limit = LEAST

    def fill(self, seconds: float, logits: Array) -> None:
        """Times the yardstick and the limit beside a call that has taken this."""
        room = np.empty_like(logits)
        self.seconds = max(LEAST, seconds)
        self.yardstick = max(LEAST, min(_seconds(partial(yardstick, logits, room))[0] for _ in range(TRIES)))
        self.limit = max(LEAST, min(_seconds(partial(np.copyto, room, logits))[0] for _ in range(TRIES)))


def _said(error: CallFaultError | ForeignError) -> str:
    return f"raised {error}" if isinstance(error, ForeignError) else str(error)


def _drawn(implementation: Implementation, dtype: str, generator: np.random.Generator) -> Problem:
    logits = generator.normal(0, SPREAD, SHAPE).astype(as_dtype(dtype))
    problem = Problem(logits, generator.integers(0, SHAPE[1], SHAPE[0]), family="timed")
    return adapt_to_claims(implementation.claims, problem)


def _seconds(action: Callable[[], Any]) -> tuple[float, Any]:
    began = perf_counter()
    value = action()
    return perf_counter() - began, value


def _fault(implementation: Implementation, problem: Problem, value: Any) -> str:
    """What is wrong with what a timed call returned, or ""."""
    answered = replace(implementation, function=lambda *arguments, **keywords: value, capture=IN_PROCESS)
    checks = scope_of(implementation.claims).applicable(implementation.claims, problem)
    asked = [check for check in checks if not check.makes_calls and check.failing_means in ("wrong", "unstable")]
    for check, result in results_of(asked, answered, problem):
        if not result.passed:
            return f"the answer to a timed call is not what it must be: {check.name}: {result.sentence()}"
    return ""
