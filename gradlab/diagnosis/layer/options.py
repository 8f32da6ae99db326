"""What explains a layer that is wrong with an option of the objective alone: the known defects of losses of logits.

With the identity as its weight, or as its features, a layer is a loss of logits (`gradlab.layer.at_logits`). dX and dW
are looked at apart, as an option may be missing in one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from gradlab.diagnosis.diagnosis import explaining
from gradlab.diagnosis.matching import Observation, observe
from gradlab.diagnosis.models import is_of_an_option
from gradlab.diagnosis.models.model import Model
from gradlab.evaluation.adaptation import admits, is_left_open, takes
from gradlab.evaluation.call import Implementation, answer
from gradlab.layer.at_logits import layer_as_loss
from gradlab.layer.call import layer_claims
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.options import option_problems
from gradlab.problems.problem import Problem
from gradlab.targets.shipped import layer_specimens

READ = ("dX", "dW")  # the outputs from which the gradient by the logits can be read
SEED = 0


@dataclass(frozen=True)
class OfOptions:
    """What explains the answers with options.

    alternatives: sets of models, each of which explains them. outputs: those that are explained. n_problems, n_wrong:
    how many answers were compared, and how many of them are wrong.
    """

    alternatives: tuple[tuple[Model, ...], ...] = ()
    outputs: tuple[str, ...] = ()
    n_problems: int = 0
    n_wrong: int = 0


def explain_options(implementation: Implementation, dtype: str, wrong: Sequence[str]) -> OfOptions:
    """What explains these outputs, which are wrong with an option alone; nothing where no known defect does."""
    returned = layer_claims(implementation.claims).places
    if "loss" not in returned or not any(name in returned for name in READ):
        return OfOptions()
    read = [name for name in READ if name in wrong] or [name for name in READ if name in returned][:1]
    by_output = {name: _observed(layer_as_loss(implementation, (name,)), dtype) for name in read}
    found = {name: _models_of_options(seen) for name, seen in by_output.items()}
    explained = {name: some for name, some in found.items() if some}
    if not explained:
        return OfOptions()
    compared = [one for name in explained for one in by_output[name]]
    return OfOptions(
        tuple({_names(some): some for some in map(_joined, product(*explained.values()))}.values()),
        tuple(name for name in wrong if name in explained or name not in READ),
        len(compared),
        sum(one.is_wrong for one in compared),
    )


def _observed(loss: Implementation, dtype: str) -> list[Observation]:
    """The answers of a loss of finite logits to the problems with the options that it claims, and those without one."""
    asked = [
        problem
        for reduction in loss.claims.reduction
        for rule in loss.claims.mean_over
        for problem in option_problems(format_of(dtype), SEED, reduction, rule)
        if _may_be_asked(loss, problem)
    ]
    return [observe(problem, answer(loss, problem)) for problem in dict.fromkeys(asked)]


def _may_be_asked(loss: Implementation, problem: Problem) -> bool:
    """Whether its claims admit a problem of labels that are all counted, of which one answer is right."""
    objective = problem.objective
    plain = objective.targets == "index" and objective.ignore_index is None and problem.is_finite
    known = takes(loss.claims, objective) and admits(loss.claims, problem)
    return bool(problem.n_rows) and plain and known and not is_left_open(problem)


def _models_of_options(observations: Sequence[Observation]) -> list[tuple[Model, ...]]:
    """The models of options in what explains the observations; others are explained as those of the layer."""
    if not any(one.is_wrong for one in observations) or all(one.faulty for one in observations):
        return []
    known = layer_specimens()
    own = [
        tuple(one for one in some.models if is_of_an_option(one.defect) and one.defect not in known)
        for some in explaining(observations)
    ]
    return list({_names(some): some for some in own if some}.values())


def _joined(sets: Sequence[Sequence[Model]]) -> tuple[Model, ...]:
    """The models of several sets, each defect once."""
    return tuple({model.defect: model for some in sets for model in some}.values())


def _names(models: Sequence[Model]) -> tuple[str, ...]:
    return tuple(sorted(model.defect for model in models))
