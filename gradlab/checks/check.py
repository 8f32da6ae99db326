"""What a check is: a pure function, when it applies, and what failing it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gradlab.evaluation.call import Answer, Implementation, answer, made_for
from gradlab.evaluation.claims import Claims
from gradlab.problems.caching import remember
from gradlab.problems.problem import AnyProblem, Array, Problem
from gradlab.result import Comparison, Fact, within

Findings = list[Comparison | Fact]


@dataclass(frozen=True, eq=False)
class Check:
    """One row of the table of checks.

    function: (implementation, problem) -> findings, each an array of error/tolerance or a plain fact; it is named
        as the fact that it checks.
    group: contract, invariants, calculus, accuracy, stability, domain or options.
    applies: whether the check says anything about this problem for an implementation with these claims.
    failing_means: "wrong" (the mathematics; on problems that are not moderate: unstable), "unstable",
        "inaccurate" (not level `accurate`, still stable), "improbable" (sound code is not likely to fail it: unstable
        where it fails on several problems, an advice before) or "advice" (does not lower the verdict).
    claim: the name of a claim without which failing is only an advice.
    needs_answer: whether it is left out where the implementation gives no loss and gradient at all.
    comes_last: whether its calls may spoil the memory of the process in silence, so that it comes after all others.
    makes_calls: whether it calls the implementation again, on arrays that it makes from the problem's: such a check is
        asked on some problems of a profile only.
    """

    function: Callable[[Implementation, Any], Findings]  # of a problem in the check's scope
    group: str
    applies: Callable[[Claims, Any], bool]
    failing_means: str = "wrong"
    claim: str | None = None
    needs_answer: bool = True
    comes_last: bool = False
    makes_calls: bool = False

    @property
    def name(self) -> str:
        """The fact that is checked."""
        return self.function.__name__


class Values(NamedTuple):
    """A loss, and the derivative that the objective names."""

    loss: Array
    derivative: Array


class Bounds(NamedTuple):
    """How far two values may be apart, of the loss and of each entry of the derivative; source: of the latter."""

    loss: Array
    derivative: Array
    source: str


@remember(16)
def solve(implementation: Implementation, problem: Problem) -> Values:
    """Loss and gradient in float64, read-only; remembered, as check after check asks for those of one problem.

    Raises NoAnswerError where the implementation gave none.
    """
    values = values_of(answer(implementation, problem), problem)
    for part in values:
        part.flags.writeable = False
    return values


def returned_values(implementation: Implementation, problem: Problem) -> Values:
    """Loss and gradient in the dtype in which they were returned, or in float64 where that is wider.

    Raises NoAnswerError where there are none.
    """
    return returned_in(answer(implementation, problem), problem)


def returned_in(given: Answer, problem: Problem) -> Values:
    """Loss and gradient of an answer as `returned_values` has them. Raises NoAnswerError where there are none."""
    loss, gradient = _parts(given, problem)
    return Values(_at_most_float64(loss), _at_most_float64(gradient))


def values_of(given: Answer, problem: Problem) -> Values:
    """Loss and gradient of an answer in float64. Raises NoAnswerError where there are none."""
    loss, gradient = _parts(given, problem)
    with np.errstate(invalid="ignore"):
        return Values(loss.astype(np.float64), gradient.astype(np.float64))


def _parts(given: Answer, problem: Problem) -> tuple[Array, Array]:
    if given.loss is None or given.gradient is None:
        raise NoAnswerError(str(given.fault), problem)
    return given.loss, given.gradient


def _at_most_float64(values: Array) -> Array:
    return values if values.itemsize <= 8 else values.astype(np.float64)


class NoAnswerError(Exception):
    """The implementation gave no loss and gradient for a problem that a check derived from the one at hand.

    asked: that problem, or None where it was a call of another kind.
    """

    def __init__(self, fault: str, asked: AnyProblem | None = None) -> None:
        super().__init__(fault)
        self.asked = asked


def run(check: Check, implementation: Implementation, problem: AnyProblem) -> Findings:
    """The findings of a check; a derived problem without an answer is a finding too."""
    try:
        with np.errstate(all="ignore"), made_for(check.name):
            return check.function(implementation, problem)
    except NoAnswerError as nothing:
        return [Fact("the call", f"{nothing}", "", False, nothing.asked)]


def entry(problem: Problem) -> str:
    """What an entry of the derivative is called, with a place for each index: "gradient[{}, {}]"."""
    name = problem.objective.derivative
    return name + ("[{}, {}, {}]" if name == "hessian" else "[{}, {}]")


def agree(seen: Values, wanted: Values, bounds: Bounds, problem: Problem) -> Findings:
    """The findings that two losses and derivatives agree within bounds.

    problem: one of those that were asked, for the derivative's name.
    """
    return [
        within("loss" + "[{}]" * seen.loss.ndim, seen.loss, wanted.loss, bounds.loss, bounds.source),
        within(entry(problem), seen.derivative, wanted.derivative, bounds.derivative, bounds.source),
    ]
