"""Models of numbers that are added or cut off to be safe, and of what masks and infinities become."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gradlab.diagnosis.matching import Observation
from gradlab.diagnosis.models.model import Defect, fixed, single_one_hot_rows, single_rows
from gradlab.diagnosis.pipeline import Changes, View, probabilities_less_targets, weighted_sum
from gradlab.problems.problem import Array, Problem


def epsilon_added(epsilon: float) -> Changes:
    return {"losses": lambda view: weighted_sum(view, -np.log(view.p + view.dtype.type(epsilon)))}


def clipped_loss(epsilon: float) -> Changes:
    def losses(view: View) -> Array:
        low = view.dtype.type(epsilon)
        return weighted_sum(view, -np.log(np.clip(view.p, low, 1 - low)))

    return {"losses": losses}


def clipped_loss_from_below(epsilon: float) -> Changes:
    return {"losses": lambda view: weighted_sum(view, -np.log(np.maximum(view.p, view.dtype.type(epsilon))))}


def clipped(epsilon: float) -> Changes:
    def gradient(view: View) -> Array:
        low = view.dtype.type(epsilon)
        inside = (weighted_sum(view, view.p) > low) & (weighted_sum(view, view.p) < 1 - low)
        return np.asarray(probabilities_less_targets(view) * inside[:, None])

    return {**clipped_loss(epsilon), "gradient": gradient}


def floors_of_probability(observations: Sequence[Observation]) -> Iterable[float]:
    """exp(-loss) of the single rows with the largest loss: it should be far smaller."""
    rows = single_rows(observations) or single_one_hot_rows(observations)
    losses = sorted((float(np.sum(seen.loss)) for seen in rows if seen.wrong_loss), reverse=True)
    return [float(np.exp(-loss)) for loss in losses[:1] if loss > 0]


def nan_as_zero(view: View) -> Array:
    return np.nan_to_num(probabilities_less_targets(view), nan=0.0)


def infinity_as_a_number(problem: Problem) -> Array:
    return np.where(problem.logits == np.inf, problem.logits.dtype.type(problem.format.largest), problem.logits)


def masked_is_nan(problem: Problem) -> Array:
    """0 times -inf in place of -inf."""
    return np.where(problem.logits == -np.inf, problem.logits.dtype.type(np.nan), problem.logits)


def masked_gradient_is_nan(view: View) -> Array:
    return np.where(view.x == -np.inf, view.dtype.type(np.nan), probabilities_less_targets(view))


ADDED = "loss = -sum_j t_j log(p_j + {0}): at most -log {0}; g = p - t is not its gradient"
CLIPPED = "loss = -log(clip(p_y, {0}, 1 - {0})) has gradient 0 beyond: the worst rows never learn"
CLIPPED_IN_LOSS = "loss = -sum_j t_j log(clip(p_j, {0}, 1 - {0})), and g = p - t is not its gradient"
CUT_FROM_BELOW = "loss = -sum_j t_j log(max(p_j, {0})), and g = p - t is not its gradient"

DEFECTS = (
    Defect("epsilon_in_log", epsilon_added, "epsilon", floors_of_probability, said=ADDED),
    Defect("clipped_probability", clipped, "epsilon", floors_of_probability, said=CLIPPED),
    Defect("clipped_loss", clipped_loss, "epsilon", floors_of_probability, said=CLIPPED_IN_LOSS),
    Defect("clipped_loss", clipped_loss_from_below, "epsilon", floors_of_probability, said=CUT_FROM_BELOW),
    fixed("nan_made_zero", gradient=nan_as_zero),
    fixed("infinity_made_finite", logits=infinity_as_a_number),
    fixed("mask_multiplied", logits=masked_is_nan),
    fixed("masked_gradient_leaks", gradient=masked_gradient_is_nan),
)
