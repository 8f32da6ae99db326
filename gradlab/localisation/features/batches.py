"""Features of all the logits of a batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.localisation.features.feature import Feature, Row, View, truth
from gradlab.problems.problem import Array

_BATCH_LARGEST = {
    "< 0": "all logits of the batch are negative",
    "> 0": "a logit of the batch is positive",
    "<= 0": "no logit of the batch is positive",
    ">=": "the largest logit of the batch is {} or more",
    "<=": "the largest logit of the batch is at most {}",
}
_BATCH_SMALLEST = {
    "> 0": "all logits of the batch are positive",
    "< 0": "a logit of the batch is negative",
    ">= 0": "no logit of the batch is negative",
    ">=": "the smallest logit of the batch is {} or more",
    "<=": "the smallest logit of the batch is at most {}",
}


def _batch(value: Callable[[Array], float]) -> Callable[[View], Array]:
    """A number of all finite logits of the batch."""

    def work_out(view: View) -> Array:
        x = view.problem.logits64
        x = x[np.isfinite(x)]
        return np.asarray(value(x) if x.size else np.nan)

    return work_out


def _spread_of_rows(view: View) -> Array:
    tops = view.problem.logits64.max(axis=1)
    tops = tops[np.isfinite(tops)]
    return np.asarray(np.ptp(tops) if tops.size else np.nan)


BATCHES = (
    Row(Feature("batch_largest", "the largest logit of the batch", 1.2, said=_BATCH_LARGEST), _batch(np.max)),
    Row(Feature("batch_smallest", "the smallest logit of the batch", 1.2, said=_BATCH_SMALLEST), _batch(np.min)),
    Row(Feature("batch_size", "max |x| of the batch", 1.2), _batch(lambda x: float(np.abs(x).max()))),
    Row(Feature("spread_of_rows", "the distance between the largest logits of two rows", 1.3), _spread_of_rows),
    Row(
        truth("batch_finite", "all logits of the batch are finite", "some logit of the batch is not finite", 1.2),
        lambda v: np.asarray(v.problem.is_finite),
    ),
)
