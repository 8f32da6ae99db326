"""One side of an implementation, in one dtype, and a small problem to probe it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradlab.diagnosis.matching import observe
from gradlab.evaluation.call import Answer, Call, Implementation, answer_to_call, call_for, evaluate
from gradlab.problems.families.options import one_hot
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

LOGITS = ((1.0, 0.0, 2.0, -1.0), (0.0, 1.0, -1.0, 0.5), (0.5, -0.5, 0.25, 1.0))
LABELS = (0, 2, 3)


@dataclass(frozen=True, eq=False)
class Side:
    """An implementation in one dtype, and a small moderate problem to probe it with."""

    implementation: Implementation
    problem: Problem

    def answer(self, problem: Problem) -> Answer:
        return evaluate(self.implementation, problem)

    def answers(self, logits: Array, targets: Array) -> Answer:
        own = call_for(self.implementation, self.problem)
        call = Call(logits, targets, own.keywords)
        return answer_to_call(self.implementation, call, self.problem.objective.reduction)

    def is_right(self, problem: Problem) -> bool:
        """Whether a problem is answered within the bounds of a right formula."""
        return not observe(problem, self.answer(problem)).is_wrong

    def like(self, logits: Array) -> Problem:
        return self.problem.replace(logits=logits.astype(self.problem.logits.dtype))


def side_of(implementation: Implementation, dtype: np.dtype[np.generic]) -> Side:
    """The side to probe: three rows of four classes, with the first objective that is claimed."""
    claims = implementation.claims
    objective = Objective(reduction=claims.reduction[0], mean_over=claims.mean_over[0])
    problem = Problem(np.array(LOGITS).astype(dtype), np.array(LABELS), objective, "probe")
    return Side(implementation, problem if claims.targets[0] == "index" else one_hot(problem))


Probe = Callable[[Side], str | None]
