"""The accurate form in one compiled kernel: right to a few units in the last place, and almost as fast as `fused`."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ._compiled import Execution, loss_and_gradient
from ._inputs import Array

__all__ = ["fused_accurate"]

CLAIMS = {
    "reduction": ["none", "mean", "sum"],
    "dtypes": ["float32", "float64"],
    "level": "accurate",
    "refuses_bad_labels": True,
    "empty_batch": True,
    "keeps_dtype": True,
    "big_endian": True,
}
NEEDS = {"numba": "fast"}  # the package, and the extra that brings it


def fused_accurate(
    logits: npt.ArrayLike,
    labels: npt.ArrayLike,
    reduction: str = "mean",
    *,  # how it is done, not what: that makes more than four arguments
    threads: int = 1,
    out: Array | None = None,
) -> tuple[Any, Array]:
    """The loss and its gradient (N, K) with respect to logits (N, K), for labels (N,), each within 4 ULP as searched.

    The loss is a scalar, or (N,) with reduction "none"; all in the dtype of the logits. The steps are those of
    `accurate`, and docs/accuracy.md proves them; exp is the kernel's own, of the exact difference x_j - max x.
    out: an array for the gradient, instead of a new one; threads: how many share the rows. Raises ImportError without
    numba.

    Breaks: where its assumptions do, as `accurate`: a processor that flushes subnormal numbers to 0 loses the entries
    below the smallest normal number.
    """
    return loss_and_gradient("accurate_rows", logits, labels, reduction, Execution(threads, out))
