"""Each row twice over while it is in the first-level cache, compiled: as fast as its exponentials allow."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ._compiled import Execution, loss_and_gradient
from ._inputs import Array

__all__ = ["fused"]

CLAIMS = {
    "reduction": ["none", "mean", "sum"],
    "dtypes": ["float32", "float64"],
    "refuses_bad_labels": True,
    "empty_batch": True,
    "keeps_dtype": True,
    "big_endian": True,
}
NEEDS = {"numba": "fast"}  # the package, and the extra that brings it


def fused(
    logits: npt.ArrayLike,
    labels: npt.ArrayLike,
    reduction: str = "mean",
    *,  # how it is done, not what: that makes more than four arguments
    threads: int = 1,
    out: Array | None = None,
) -> tuple[Any, Array]:
    """The loss and its gradient (N, K) with respect to logits (N, K), for labels (N,), in the dtype of the logits.

    The loss is a scalar, or (N,) with reduction "none". The first pass writes exp(fl(x - max x)) into the gradient and
    sums them, and finds the largest logit of the next row; the second divides. The target's entry is minus the sum of
    the others. Beyond the gradient it allocates 8 bytes a row. out: an array for the gradient, instead of a new one;
    threads: how many share the rows. Raises ImportError without numba.

    Breaks: x_j - max x is rounded, and exp of it with it, as in the complement form: entries far below the largest
    are off by about 64 ULP in float32, about 512 in float64. Where all the others are subnormal, half an ULP of each
    adds up in the target's entry and the loss: 1300 ULP with 2700 classes. Sums are added up in lanes, as many as fill
    four vectors, of up to 1024 terms in all, and so about as accurate as NumPy's.
    """
    return loss_and_gradient("fast_rows", logits, labels, reduction, Execution(threads, out))
