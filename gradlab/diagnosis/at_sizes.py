"""Known defects that show in some shapes alone: told by the answer of the specimen, in the shape that shows it."""

from __future__ import annotations

import numpy as np

from gradlab.bounds import first_order
from gradlab.diagnosis.matching import Observation
from gradlab.diagnosis.probe import Probe, Side
from gradlab.problems.families.options import one_hot
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.targets.shipped import specimens

NAMES = (
    "rows_of_first_block",
    "classes_of_first_block",
    "label_in_sixteen_bits",
    "last_row_of_a_hundred",
    "fast_path_without_target",
)


def _answers_as(name: str) -> Probe:
    """Whether an implementation gives the gradient of a specimen, within the bounds, on the problem that shows it.

    What is wrong on small problems too is no mistake of a size.
    """

    def probe(side: Side) -> str | None:
        specimen = specimens()[name]
        logits = np.array(specimen.logits, dtype=np.float64).astype(side.problem.logits.dtype)
        objective = Objective(side.problem.objective.reduction)
        problem = Problem(logits, np.array(specimen.labels), objective)
        wrong = specimen.function(logits.copy(), problem.targets.copy(), reduction=objective.reduction)[1]
        asked = problem if side.problem.objective.targets == "index" else one_hot(problem)
        given = side.answer(asked).gradient
        if given is None or given.shape != wrong.shape or not side.is_right(side.problem):
            return None
        bound = 2 * first_order.gradient(asked).error
        apart = np.abs(given.astype(np.float64) - wrong.astype(np.float64))
        return name if (apart <= bound).all() else None

    return probe


def is_contradicted_by(name: str, seen: Observation) -> bool:
    """Whether a wrong answer is not what the specimen returns."""
    problem = seen.problem
    if not seen.is_wrong or problem.objective.targets != "index" or problem.objective.options:
        return seen.is_wrong
    wrong = specimens()[name].function(
        problem.logits.copy(), problem.targets.copy(), reduction=problem.objective.reduction
    )
    with np.errstate(invalid="ignore"):
        near = np.abs(seen.gradient - wrong[1].astype(np.float64)) <= 2 * seen.gradient_bound
    return not near.all()


PROBES: dict[str, tuple[Probe, ...]] = {"answer_is_right_at_this_size": tuple(map(_answers_as, NAMES))}
