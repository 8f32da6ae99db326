"""Problems of the layer with an option of the objective, another reduction, or probabilities as targets.

Their objectives and targets are those of the same families at the logits; features, weight and bias are drawn.
"""

from __future__ import annotations

import numpy as np

from gradlab.layer.families.placing import Rng
from gradlab.layer.problem import LayerProblem
from gradlab.problems.dtypes import Format
from gradlab.problems.families.options import UNUSED, option_problems
from gradlab.problems.families.placing import round_to
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

N_FEATURES = 3


def layer_option_problems(
    fmt: Format, seed: int, reduction: str, mean_over: str = "sum_of_weights"
) -> list[LayerProblem]:
    """As `option_problems`, of the layer; without an empty batch. All rows of one are ignored."""
    rng = np.random.default_rng([seed, 3])
    at_logits = [one for one in option_problems(fmt, seed, reduction, mean_over) if one.n_rows and one.is_finite]
    found = [_layer_with(fmt, rng, one) for one in at_logits]
    objective = Objective(reduction, ignore_index=UNUSED, mean_over=mean_over)
    found += [all_ignored(one, objective) for one in found[:2]]
    return found


def all_ignored(problem: LayerProblem, objective: Objective) -> LayerProblem:
    """The problem with nothing but rows to be ignored."""
    labels = np.full(problem.n_rows, objective.ignore_index, dtype=np.int64)
    return problem.replace(targets=labels, objective=objective, family="all_ignored")


def _layer_with(fmt: Format, rng: Rng, given: Problem) -> LayerProblem:
    """A layer with the targets and the objective of a problem of logits."""
    n, k = given.logits.shape
    shapes = ((n, N_FEATURES), (N_FEATURES, k), (k,))
    features, weight, bias = (round_to(fmt, rng.normal(size=shape)) for shape in shapes)
    return LayerProblem(features, weight, bias, given.targets, given.objective, family=given.family)
