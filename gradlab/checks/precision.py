"""Half precision: what is worked out in float32 inside, as kernels do, is held to a bound of float32.

Which it is, is recognised by experiment, unless the claim `accumulates_in` says so: where one of the two answers, loss
or gradient, is as accurate on every problem of RECOGNISED as float32 inside makes it, the other has to be as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gradlab.bounds import widened
from gradlab.bounds.bound import Bound
from gradlab.checks.accuracy import derivative_within, loss_within
from gradlab.checks.check import Findings
from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.call import Answer, Implementation, answer
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.dtypes import format_of
from gradlab.problems.families import FAMILIES, problems_in
from gradlab.problems.problem import Problem

RECOGNISED = ("smallest", "moderate", "every_label", "one_row", "moderate_extremes", "round_numbers")


@dataclass(frozen=True)
class Inside:
    """Whether loss and gradient are as accurate as float32 inside makes them, on every problem that tells."""

    loss: bool
    gradient: bool


def loss_is_as_accurate_as_the_gradient(implementation: Implementation, problem: Problem) -> Findings:
    """Where the gradient is worked out in float32, or that is claimed, the loss is right to a rounding or two."""
    if not _is_held(implementation, problem, "gradient"):
        return []
    return [loss_within(implementation, problem, _bounds(answer(implementation, problem), problem)[0])]


def gradient_is_as_accurate_as_the_loss(implementation: Implementation, problem: Problem) -> Findings:
    """Where the loss is worked out in float32, or that is claimed, the gradient is right to a rounding or two."""
    if not _is_held(implementation, problem, "loss"):
        return []
    return [derivative_within(implementation, problem, _bounds(answer(implementation, problem), problem)[1])]


@lru_cache(maxsize=64)
def recognise(implementation: Implementation, dtype: str) -> Inside:
    """What is worked out in float32 for logits of this dtype, by the implementation's answers."""
    families = [family for family in FAMILIES if family.name in RECOGNISED]
    drawn = [problem for family in families for problem in problems_in(family, format_of(dtype), 0)]
    asked = [adapt_to_claims(implementation.claims, problem) for problem in drawn]
    seen = [_is_wide(implementation, problem) for problem in asked if widened.is_covered(problem)]
    return Inside(*(bool(seen) and all(one) for one in zip(*seen, strict=True))) if seen else Inside(False, False)


def accumulation(implementation: Implementation, dtype: str) -> str:
    """The dtype in which answers for logits of this dtype are worked out, float32 or their own, as claimed or seen."""
    claimed = implementation.claims.accumulates_in
    if claimed != "recognised":
        return dtype if claimed == "logits" else claimed
    inside = recognise(implementation, dtype)
    return "float32" if inside.loss or inside.gradient else dtype


def _is_held(implementation: Implementation, problem: Problem, by: str) -> bool:
    if implementation.claims.accumulates_in != "recognised":
        return True
    return bool(getattr(recognise(implementation, problem.format.name), by))


def _is_wide(implementation: Implementation, problem: Problem) -> tuple[bool, bool]:
    given, truth = answer(implementation, problem), enclose(problem)
    if given.loss is None or given.gradient is None:
        return False, False
    loss, gradient = _bounds(given, problem)
    return (
        bool((absolute_error(given.loss, truth.loss) <= loss.error).all()),
        bool((absolute_error(given.gradient, truth.derivative) <= gradient.error).all()),
    )


def _bounds(given: Answer, problem: Problem) -> tuple[Bound, Bound]:
    """Of loss and gradient; without a rounding to the logits' dtype where both come back in a wider one."""
    if all(
        one is not None and one.dtype.itemsize > problem.logits.dtype.itemsize for one in (given.loss, given.gradient)
    ):
        return widened.loss_throughout(problem), widened.gradient_throughout(problem)
    return widened.loss(problem), widened.gradient(problem)
