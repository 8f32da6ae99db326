"""The oracle: certified enclosures of the exact loss and gradient of a problem, narrower than 2^-20 ULP of its dtype.

Large problems go through double-double arithmetic with a proved bound; small ones, rows of few distinct logits and
whatever that cannot decide through ball arithmetic. The domain rules are those of `canonical.RowKinds`; a mean whose
denominator is 0 is NaN, and so is its gradient, but for the rows that are ignored, whose gradient is 0.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.oracle.exact.balls import RowAnswers, answer_rows, reduced_loss
from gradlab.oracle.exact.canonical import is_undefined, row_kinds
from gradlab.oracle.exact.derivatives import enclose_derivative
from gradlab.oracle.exact.equal_rows import Solver, answer_each_kind_once
from gradlab.oracle.exact.repeated import answer_merged, merge_rows
from gradlab.oracle.fast.vectorised import answer_by_double_double
from gradlab.oracle.intervals import Array, Enclosures, constant, fill
from gradlab.problems.problem import Problem

__all__ = ["Enclosures", "Truth", "enclose", "enclose_by_balls", "enclose_by_double_double"]

CROSSOVER = 128  # entries from which double-double is the faster path: about 80 for labels, 190 for soft targets
_KEPT_PROBLEMS = 512
_KEPT_ENTRIES = 2**21

_Key = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Truth:
    """The exact answers to a problem, enclosed.

    losses: each row's own loss before the reduction, shape (N,). loss: the reduced loss, shape (N,) for "none" and
    () otherwise. gradient: of the reduced objective, shape (N, K). derivative: the one that the objective names, in its
    shape; computed on demand where it is another.
    """

    problem: Problem
    losses: Enclosures
    loss: Enclosures
    gradient: Enclosures

    @cached_property
    def derivative(self) -> Enclosures:
        return self.gradient if self.problem.objective.is_first_order else enclose_derivative(self.problem)


def enclose(problem: Problem) -> Truth:
    """The exact answers, enclosed; remembered for the latest problems, up to 512 of them and 2^21 entries.

    Every problem that can be made has them: nothing is refused here, and nothing is raised. What has no answer (a label
    out of range, an option outside its range) is refused by `Objective` and `Problem`, with a ValueError that states
    the rule and the value. The parameters are taken for the numbers they are, also where the logits' dtype holds no
    such number; whether code can be asked that is for `harness.problems.may_be_asked` to say.
    """
    key = (
        problem.logits.dtype,
        problem.logits.shape,
        problem.objective,
        problem.logits.tobytes(),
        problem.targets.tobytes(),
        None if problem.vector is None else problem.vector.tobytes(),
    )
    if key in _remembered:
        _remembered.move_to_end(key)
        return _remembered[key]
    truth = _assemble(problem, _answer_large if problem.logits.size >= CROSSOVER else answer_rows)
    _remember(key, truth)
    return truth


def enclose_by_balls(problem: Problem) -> Truth:
    """The exact answers, enclosed by ball arithmetic alone."""
    return _assemble(problem, answer_rows)


def enclose_by_double_double(problem: Problem) -> Truth:
    """The exact answers, enclosed by double-double arithmetic; rows that it cannot decide by ball arithmetic."""
    return _assemble(problem, answer_by_double_double)


def _answer_large(problem: Problem, rows: Array) -> RowAnswers:
    merged = merge_rows(problem, rows)
    return answer_by_double_double(problem, rows) if merged is None else answer_merged(problem, merged)


def _assemble(problem: Problem, solve: Solver) -> Truth:
    """The truth from the rows that have one (`solve`) and from the domain rules."""
    kinds = row_kinds(problem)
    rows = np.concatenate([kinds.regular, kinds.infinite])
    answers = answer_each_kind_once(problem, rows, solve)
    losses, gradient = answers.loss_intervals, answers.gradient
    if len(kinds.regular) < problem.n_rows:  # else the answers are in the order of the rows
        losses, gradient = constant(0.0, (problem.n_rows,)), constant(0.0, problem.logits.shape)
        fill(losses, rows, answers.loss_intervals)
        fill(gradient, rows, answers.gradient)
    fill(losses, kinds.undefined, math.nan)
    fill(losses, kinds.infinite, math.inf)
    fill(gradient, kinds.undefined, math.nan)
    if is_undefined(problem):
        fill(gradient, ~problem.ignored_rows, math.nan)
    if problem.objective.reduction == "none":
        return Truth(problem, losses, losses, gradient)
    loss = reduced_loss(problem, answers.losses[: len(kinds.regular)])
    return Truth(problem, losses, loss, gradient)


_remembered: OrderedDict[_Key, Truth] = OrderedDict()
_n_entries = 0  # of all of their logits


def _remember(key: _Key, truth: Truth) -> None:
    """Keeps the latest, and drops the oldest where there are too many."""
    global _n_entries
    _remembered[key] = truth
    _n_entries += truth.problem.logits.size
    while len(_remembered) > 1 and (len(_remembered) > _KEPT_PROBLEMS or _n_entries > _KEPT_ENTRIES):
        _n_entries -= _remembered.popitem(last=False)[1].problem.logits.size
