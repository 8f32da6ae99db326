"""Models of what is subtracted from the logits before exp, and of how loss and probabilities are put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from gradlab.diagnosis.matching import Observation
from gradlab.diagnosis.models.model import Defect, fixed, option_defect, single_rows
from gradlab.diagnosis.pipeline import Changes, View, probabilities_less_targets, row_maximum, weighted_sum
from gradlab.problems.problem import Array


def nothing(x: Array) -> Array:
    return np.zeros((len(x), 1), dtype=x.dtype)


def largest_of_all(x: Array) -> Array:
    return np.full((len(x), 1), x.max(initial=-np.inf), dtype=x.dtype)


def maxima_as_a_row(x: Array) -> Array:
    return np.asarray(x.max(axis=1)[None, :])


def maximum_or_zero(x: Array) -> Array:
    return np.asarray(np.maximum(row_maximum(x), x.dtype.type(0)))


def clamped(lowest: float) -> Changes:
    return {"below": lambda x, m: np.maximum(x - m, x.dtype.type(lowest))}


def depth_of_the_clamp(observations: Sequence[Observation]) -> Iterable[float]:
    """A single row whose target is far below costs the depth of the clamp, whatever it should cost."""
    losses = [float(seen.loss.sum()) for seen in single_rows(observations)]
    return [-max(losses)] if losses else []


def minus_log_p(view: View) -> Array:
    return weighted_sum(view, -np.log(view.p))


def sum_of_products(view: View) -> Array:
    return np.asarray(-(view.t * np.log(view.p)).sum(axis=1))


def sum_of_products_in_log_space(view: View) -> Array:
    return np.asarray((view.t * (np.log(view.s) - view.d)).sum(axis=1))


def lse_less_logit(view: View) -> Array:
    return weighted_sum(view, (view.m + np.log(view.s)) - view.x)


def exp_of_logit_less_lse(view: View) -> Array:
    return np.asarray(np.exp(view.x - (view.m + np.log(view.s))))


def less_one_at_the_largest(view: View) -> Array:
    top = view.x.argmax(axis=1)[:, None] == np.arange(view.x.shape[1])
    return np.asarray(probabilities_less_targets(view) - view.t.sum(axis=1, keepdims=True) * top)


def less_the_rounded_maximum(view: View) -> Array:
    rounded = np.rint(view.m)
    sums = np.exp(view.x - rounded).sum(axis=1, keepdims=True)
    return weighted_sum(view, np.log(sums) - view.d)


OF_UNDERFLOW = (
    "loss = -sum_j t_j log p_j, with p_j worked out first: inf where p_j underflows to 0 and t_j > 0, "
    "and NaN, 0 times -inf, where it does and t_j = 0"
)

DEFECTS = (
    fixed("no_shift", shift=nothing),
    fixed("global_shift", shift=largest_of_all),
    fixed("shift_without_keepdims", shift=maxima_as_a_row),
    fixed("shift_by_zero_or_more", shift=maximum_or_zero),
    Defect(
        "clamped_shift",
        clamped,
        "lowest",
        depth_of_the_clamp,
        said="d_j = max(x_j - max x, {}) in place of x_j - max x",
    ),
    fixed("log_of_softmax", losses=minus_log_p),
    replace(option_defect("index", "zero_times_infinity", losses=sum_of_products), said=OF_UNDERFLOW),
    option_defect("index", "zero_times_infinity", losses=sum_of_products_in_log_space),
    replace(option_defect("probability", "zero_share_times_infinity", losses=sum_of_products), said=OF_UNDERFLOW),
    option_defect("probability", "zero_share_times_infinity", losses=sum_of_products_in_log_space),
    fixed("lse_minus_logit", losses=lse_less_logit),
    fixed("softmax_from_lse", probabilities=exp_of_logit_less_lse),
    fixed("shift_differentiated", gradient=less_one_at_the_largest),
    fixed("two_shifts", losses=less_the_rounded_maximum),
)
