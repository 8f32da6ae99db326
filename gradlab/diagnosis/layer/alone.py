"""Which of several defects that together explain a layer shows by itself in a failure."""

from __future__ import annotations

import re

from gradlab.diagnosis.diagnosis import Diagnosis
from gradlab.diagnosis.layer.diagnosis import is_modelled
from gradlab.diagnosis.layer.observation import observe
from gradlab.evaluation.call import Implementation
from gradlab.layer.call import layer_answer
from gradlab.result import Result
from gradlab.targets.shipped import layer_specimens

_OUTPUT = re.compile(r"(loss|dX|dW|db)\b")  # at the head of where a failure is


def layer_shown_alone(known: Diagnosis, implementation: Implementation, failed: Result) -> tuple[str, ...]:
    """The defects that without the others give what is wrong in a failure: the output that it is seen in."""
    problem, output = failed.asked or failed.problem, _OUTPUT.match(failed.where)
    if output is None or not problem.n_rows or not is_modelled(problem):
        return ()
    given = layer_answer(implementation, problem)
    if given.fault is not None:
        return ()
    seen, specimens = observe(implementation, problem, given), layer_specimens()
    names = dict.fromkeys(name for one in known.alternatives for name in one.defects if name in specimens)
    return tuple(name for name in names if output.group() in seen.outputs_explained(specimens[name]))
