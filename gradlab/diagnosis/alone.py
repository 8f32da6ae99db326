"""Which of several defects that together explain an implementation shows by itself in a failure."""

from __future__ import annotations

from gradlab.diagnosis.diagnosis import Diagnosis
from gradlab.diagnosis.matching import matches_gradient, matches_loss, observe
from gradlab.diagnosis.search import Explanation
from gradlab.evaluation.call import Implementation, answer
from gradlab.result import Result


def shown_alone(known: Diagnosis, implementation: Implementation, failed: Result) -> tuple[str, ...]:
    """The defects that without the others give what is wrong in a failure, the loss or the gradient.

    Empty for other derivatives than the gradient, of which the models of defects say nothing.
    """
    if implementation.claims.derivative != "gradient":
        return ()
    problem = failed.asked or failed.problem
    seen = observe(problem, answer(implementation, problem))
    of_loss, of_gradient = failed.where.startswith("loss"), failed.where.startswith("gradient")
    found: dict[str, None] = {}
    for model in (model for one in known.alternatives for model in one.models):
        alone = Explanation((model,))
        predicted = alone.predicts(seen)
        loss = seen.wrong_loss and not of_gradient and matches_loss(seen, predicted, alone.coarse)
        gradient = seen.wrong_gradient and not of_loss and matches_gradient(seen, predicted, alone.coarse)
        if loss or gradient:
            found[model.defect] = None
    return tuple(found)
