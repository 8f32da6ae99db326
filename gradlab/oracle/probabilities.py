"""softmax in float64 from certified exponentials: what scales and tolerances are made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from flint import arb, ctx

from gradlab.oracle.balls import softmax_of
from gradlab.oracle.intervals import Array, scaled
from gradlab.oracle.row_softmax import ROW_BLOCK_ENTRIES, exponentials
from gradlab.problems.problem import Problem

_PRECISION = 128
_LARGEST_LOGIT = 2.0**1020


class Softmax(NamedTuple):
    """probabilities p and shifted = x - max x, shape (N, K); log_sum = log sum exp(x - max x), shape (N,)."""

    probabilities: Array
    log_sum: Array
    shifted: Array


def softmax(problem: Problem) -> Softmax:
    """softmax in float64: p and log_sum within 2 ULP, or the smallest subnormal number; shifted correctly rounded.

    NaN in rows without a value. Probabilities below float64's range are 0; shifted is -inf at -inf and where
    x - max x overflows.
    """
    logits = problem.logits64
    with np.errstate(over="ignore", invalid="ignore"):
        shifted = logits - logits.max(1, keepdims=True)
        sizes = np.where(np.isfinite(logits), np.abs(logits), 0.0).max(1)
    answer = Softmax(np.full(logits.shape, np.nan), np.full(len(logits), np.nan), shifted)
    shifted[~problem.rows_with_value] = np.nan
    rows = np.flatnonzero(problem.rows_with_value & (sizes < _LARGEST_LOGIT))
    step = max(1, ROW_BLOCK_ENTRIES // problem.n_classes)
    with ctx.workprec(_PRECISION):
        for start in range(0, len(rows), step):
            _fill_block(answer, logits, rows[start : start + step])
        for row in np.flatnonzero(problem.rows_with_value & (sizes >= _LARGEST_LOGIT)).tolist():
            _fill_row(answer, logits, row)
    return answer


def _fill_block(answer: Softmax, logits: Array, rows: Array) -> None:
    parts = exponentials(logits[rows], logits[rows].argmax(1))
    totals = np.array([float(1 + s) for s in parts.others])
    with np.errstate(under="ignore"):
        entries = scaled(parts.terms.high / totals[:, None], parts.terms.exponent)
    entries[np.arange(len(rows)), parts.top] = 1.0 / totals
    answer.probabilities[rows] = entries
    answer.log_sum[rows] = [float(s.log1p()) for s in parts.others]


def _fill_row(answer: Softmax, logits: Array, row: int) -> None:
    finite = np.flatnonzero(np.isfinite(logits[row]))
    balls = [arb(x) for x in logits[row, finite].tolist()]
    probabilities, _ = softmax_of(balls)
    answer.probabilities[row] = 0.0
    answer.probabilities[row, finite] = [float(p) for p in probabilities]
    places = np.argmax(logits[row, finite])
    others = sum((p for j, p in enumerate(probabilities) if j != places), arb(0)) / probabilities[places]
    answer.log_sum[row] = float(others.log1p())
