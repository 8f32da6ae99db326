"""Problems of the layer with an option of the objective, another reduction, or probabilities as targets.

Their objectives and targets are those of the same families at the logits; features, weight and bias are drawn.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradlab.layer.families.moderate import BEYOND_CHUNKS
from gradlab.layer.families.placing import Rng, draw
from gradlab.layer.problem import LayerProblem
from gradlab.problems.dtypes import Format
from gradlab.problems.families.options import UNUSED, option_problems
from gradlab.problems.families.placing import round_to
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

N_FEATURES = 3
WEIGHTS = (0.5, 1.0, 2.0)  # exact in every format


def layer_option_problems(
    fmt: Format, seed: int, reduction: str, mean_over: str = "sum_of_weights"
) -> list[LayerProblem]:
    """As `option_problems`, of the layer; without an empty batch. All rows of one are ignored; some are long."""
    rng = np.random.default_rng([seed, 3])
    at_logits = [one for one in option_problems(fmt, seed, reduction, mean_over) if one.n_rows and one.is_finite]
    found = [_layer_with(fmt, rng, one) for one in at_logits]
    objective = Objective(reduction, ignore_index=UNUSED, mean_over=mean_over)
    found += [all_ignored(one, objective) for one in found[:2]]
    return found + _in_chunks(fmt, rng, Objective(reduction, mean_over=mean_over))


def _in_chunks(fmt: Format, rng: Rng, base: Objective) -> list[LayerProblem]:
    """One option each, with more rows, and with more classes, than most chunks have."""
    found = []
    for shape in (BEYOND_CHUNKS[0], BEYOND_CHUNKS[-1]):
        plain = draw(fmt, rng, shape)
        ignored = np.where(np.arange(plain.n_rows) % 3 == 1, UNUSED, plain.targets)
        of_rows, of_classes = (tuple(rng.choice(WEIGHTS, size).tolist()) for size in (shape[0], shape[2]))
        ignoring = plain.replace(targets=ignored, objective=replace(base, ignore_index=UNUSED))
        found += [
            ignoring.replace(family="ignored_in_chunks"),
            plain.replace(objective=replace(base, label_smoothing=0.1), family="smoothed_in_chunks"),
            plain.replace(objective=replace(base, class_weights=of_classes), family="classes_weighed_in_chunks"),
            plain.replace(objective=replace(base, sample_weights=of_rows), family="rows_weighed_in_chunks"),
        ]
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
