"""Models of digits that are lost on the way: narrower numbers inside, rounded logits, rounded probabilities."""

from __future__ import annotations

from collections.abc import Callable

import ml_dtypes
import numpy as np

from gradlab.diagnosis.models.model import Defect, Model, coarse, fixed, stated
from gradlab.diagnosis.pipeline import View, log_sum_less_logit, probabilities_less_targets
from gradlab.problems.problem import Array, Problem

NARROW = {"float32": np.float32, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}

STORED = "stored_before_subtracting"
P_ROUNDED = "p is rounded to {}, and then 1 is subtracted from p_y"


def rounded_logits(name: str) -> Callable[[Problem], Array]:
    return lambda problem: problem.logits.astype(NARROW[name]).astype(problem.logits.dtype)


def rounded_probabilities(name: str) -> Callable[[View], Array]:
    return lambda view: np.asarray((view.e / view.s).astype(NARROW[name]).astype(view.dtype))


def rounded_result(name: str) -> Callable[[View], Array]:
    return lambda view: np.asarray(probabilities_less_targets(view).astype(NARROW[name]).astype(view.dtype))


def margin_added_and_subtracted(view: View) -> Array:
    """With two classes and a large margin M of the target, (M + exp(-M)) - M."""
    losses = log_sum_less_logit(view)
    if view.x.shape[1] != 2 or view.problem.objective.targets != "index":
        return losses
    margin = (view.t * (view.x - view.x[:, ::-1])).sum(axis=1)
    return np.asarray(np.where((margin > 18) & (margin < 1e30), (margin + np.exp(-margin)) - margin, losses))


def one_by_one(losses: Array, problem: Problem) -> Array:
    """The mean of losses that are added in the dtype of the logits, each sum rounded."""
    own = losses.astype(problem.logits.dtype)
    if problem.objective.reduction == "none" or not own.size:
        return losses
    total = np.cumsum(own, dtype=own.dtype)[-1].astype(np.float64)
    return np.asarray(total / (problem.n_rows if problem.objective.reduction == "mean" else 1))


DEFECTS: tuple[Defect, ...] = (
    *(stated("logits_rounded", f"x_j is rounded to {name}", {"logits": rounded_logits(name)}) for name in NARROW),
    *(coarse(STORED, name, probabilities=rounded_probabilities(name), said=P_ROUNDED.format(name)) for name in NARROW),
    *(coarse(STORED, name, gradient=rounded_result(name), said=f"g is rounded to {name}") for name in NARROW),
    fixed("added_and_subtracted", losses=margin_added_and_subtracted),
    fixed("sequential_half_mean", loss=one_by_one),
)
INSIDE = tuple(Model("narrow_inside", {}, f"inside = {name}", 1, name, name) for name in NARROW)
