"""The gradient of a step in float64, with a proved bound on its error: fast enough for each of thousands of steps.

X~ is X with a column of ones, V = (W, b) stacked; u = 2^-53, gamma_n = n u/(1 - n u). Sums of n terms in any order are
off by gamma_n of the sum of their sizes (N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 2002,
section 3.1).

    z = X~ V         off by delta_ij <= gamma_n (|X~| |V|)_ij, delta_i the largest of a row, n parameters a column
    d_ij = z_ij - max z_i   a rounding; so it is off by 2 delta_i + u |d_ij| from the exact difference
    e_ij = exp(d_ij)        off by EXP relatively
    p_ij = e_ij/sum e_ij    |log(p computed/p)| <= 2 (2 delta_i + u max_j |d_ij| + EXP) + (K + 1) u = log_error_i
    g_ij = (p_ij - t_ij)/N  off by (expm1(log_error_i) p_ij + 3 u |g N|)/N
    G = X~^T g + slope V    off by |X~|^T (error of g) + gamma_N |X~|^T |g| + 2 u (|slope V| + |G|)

The same with another u and EXP bounds what any code in another format is off by that computes the same in any order:
`Arithmetic` says which. Entries e_ij below 2^-1074 are off by that in addition, in p and in every sum of them; for all
of these, products that underflow too, TINY is added to every entry. The bounds are computed in float64 themselves, in a
few hundred operations with n, N, K below 2^24, each relative to a sum of terms of one sign: UPWARDS has room for that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from gradlab.bounds.probable import probable_sum_roundings
from gradlab.bounds.rounding_counts import BETA, sum_roundings
from gradlab.oracle.fast.exponential import LOWEST_ARGUMENT, exp_parts
from gradlab.problems.dtypes import Format
from gradlab.problems.problem import Array

UPWARDS = 1 + 2.0**-25
LARGEST = 0.01  # of what is taken for small in a bound: beyond it nothing is said, and the bound is infinite


class Arithmetic(NamedTuple):
    """unit: the unit roundoff u. exp_error: of exp, relative. tiny: more than what underflow costs an entry.

    sums: how many u a sum of so many terms carries; the number of terms is what is proved.
    """

    unit: float
    exp_error: float
    tiny: float
    sums: Callable[[int], float] = float


FLOAT64 = Arithmetic(2.0**-53, 2.0**-52, 2.0**-1000)  # of the exponentials here, which are pairs rounded to float64


class ErrorBound(NamedTuple):
    """entries: how far each entry of a gradient may be off, (n_parameters, K).

    growth: by how much their norm may be larger at other parameters, for each unit of their distance.
    """

    entries: Array
    growth: float


class Batch(NamedTuple):
    """Rows of the data: X~ (N, n_parameters), its sizes, and the shares of the classes (N, K).

    squares: the mean over the rows of |x~_i|^2.
    """

    extended: Array
    sizes: Array
    shares: Array
    squares: float


def proved_arithmetic(fmt: Format) -> Arithmetic:
    """What level `stable` allows in a format: exp off by BETA ULP, everything else rounded, sums in any order."""
    unit = fmt.unit_roundoff
    return Arithmetic(unit, 2 * BETA * unit, 64 * fmt.smallest_normal, partial(sum_roundings, fmt=fmt))


def probable_arithmetic(fmt: Format) -> Arithmetic:
    """The same, with sums as far off as they are likely to be: see `bounds.probable`."""
    return proved_arithmetic(fmt)._replace(sums=partial(probable_sum_roundings, fmt=fmt))


def batch_of(extended: Array, shares: Array, rows: Array | slice) -> Batch:
    """The rows of a batch."""
    own = np.ascontiguousarray(extended[rows])
    return Batch(own, np.abs(own), shares[rows], float((own * own).sum() / len(own)) * UPWARDS)


class StepGradient(NamedTuple):
    """value: the gradient by V in float64, (n_parameters, K); and what its error is made of.

    probabilities, by_logits: p and g, (N, K). widest: the largest |d_ij| of each row, (N,). products: the largest entry
    of each row of |X~| |V|, (N,). penalty: slope V. slope: the largest of its slopes.
    """

    batch: Batch
    value: Array
    probabilities: Array
    by_logits: Array
    widest: Array
    products: Array
    penalty: Array
    slope: float

    def log_error(self, other: Arithmetic) -> Array:
        """How far log p may be off in each row, (n_rows,), in code that computes in `other`; infinite where unknown."""
        n_classes = self.by_logits.shape[1]
        delta = _gamma(len(self.value) + 1, other) * self.products
        found = 2 * (2 * delta + other.unit * self.widest + other.exp_error) + other.sums(n_classes + 2) * other.unit
        return np.where(found < LARGEST, found, np.inf)

    @np.errstate(over="ignore", invalid="ignore")
    def bound(self, other: Arithmetic) -> ErrorBound:
        """How far code may be off that computes in `other` at the same parameters; infinite where nothing is known.

        With FLOAT64 it is the error of the value itself.
        """
        n_rows, log_error = len(self.by_logits), self.log_error(other)
        of_rows = np.expm1(log_error)[:, None] * self.probabilities / n_rows + other.tiny
        of_rows += (3 * other.unit + _gamma(n_rows, other)) * np.abs(self.by_logits)
        last = 3 * other.unit * (np.abs(self.penalty) + np.abs(self.value)) + other.tiny
        entries = (self.batch.sizes.T @ of_rows + last) * UPWARDS
        growth = _growth(self.batch, float(log_error.max()), self.slope, other)
        return ErrorBound(np.nan_to_num(entries, nan=np.inf, posinf=np.inf), growth)


@np.errstate(over="ignore", invalid="ignore")
def step_gradient(batch: Batch, parameters: Array, slopes: Array) -> StepGradient:
    """The gradient at these parameters (n_parameters, K), in float64; slopes: of the penalty, (n_parameters, 1)."""
    logits = batch.extended @ parameters
    distances = logits - logits.max(axis=1, keepdims=True)
    high, _, exponent = exp_parts((np.maximum(distances, LOWEST_ARGUMENT), np.zeros(distances.shape)))
    exponentials = np.ldexp(high, exponent.astype(np.int64))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    by_logits = (probabilities - batch.shares) / len(batch.shares)
    penalty = slopes * parameters
    return StepGradient(
        batch,
        batch.extended.T @ by_logits + penalty,
        probabilities,
        by_logits,
        np.minimum(-distances.min(axis=1), -LOWEST_ARGUMENT),
        (batch.sizes @ np.abs(parameters)).max(axis=1),
        penalty,
        float(slopes.max()),
    )


def _growth(batch: Batch, log_error: float, slope: float, other: Arithmetic) -> float:
    """`ErrorBound.growth`: where V moves by r, row i's logits move by s_i = |x~_i| r at most, and so

    delta_i by gamma_n s_i, the widest distance by 2 s_i, and p, in the sum over the classes, by 2 s_i. The part of G's
    bound that row i has moves by |x~_i|/N times the sum over the classes, and all rows together by squares r times

        1.1 (4 gamma_n + 4 u) + 2.2 expm1(log_error) + 2 (3 u + gamma_N),

    1.1 being more than exp of twice LARGEST. The last sum of G's bound moves by 3 u (2 slope + squares) r.
    """
    n_rows, count = batch.extended.shape
    of_rows = 1.1 * (4 * _gamma(count + 1, other) + 4 * other.unit) + 2.2 * float(np.expm1(log_error))
    of_rows += 2 * (3 * other.unit + _gamma(n_rows, other))
    return (batch.squares * (of_rows + 3 * other.unit) + 6 * other.unit * slope) * UPWARDS


def _gamma(count: int, other: Arithmetic) -> float:
    """gamma of what a sum of so many terms carries; infinite where that is not small."""
    product = other.sums(count) * other.unit
    return product / (1 - product) if product < LARGEST else np.inf
