"""A function of one-hot rows as one of labels."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from gradlab.evaluation.one_hot import one_hot_rows
from gradlab.problems.problem import Array


def as_one_hot(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with labels turned into one-hot rows (N, K) in the logits' dtype.

    Raises ValueError, when called, for labels that are no integers in [0, K), or not one for each row.
    """

    @functools.wraps(function)
    def with_labels(logits: Array, labels: Array, **keywords: Any) -> Any:
        if logits.ndim != 2:
            raise ValueError(f"logits must have shape (N, K), got {logits.shape}")
        earlier = keywords.get("earlier_logits")
        if earlier is not None:  # a class that is used for another batch before
            rows = one_hot_rows(keywords["earlier_targets"], earlier.shape, earlier.dtype)
            keywords = {**keywords, "earlier_targets": rows}
        return function(logits, one_hot_rows(labels, logits.shape, logits.dtype), **keywords)

    return with_labels
