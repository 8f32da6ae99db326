"""The exact answers to two classes with logits (M, 0), for float32 margins M in [0, 104), with a proved bound.

With e = exp(-M):  label at the maximum: loss log1p(e), entries -e/(1+e) and e/(1+e);
label at the other class: loss M + log1p(e), entries -1/(1+e) and 1/(1+e).

Everything is float64 and relative; u = 2^-53. Nothing underflows: e > 2^-151.

1. e. M is exact in float64. `exp_parts` gives f_h + f_l times 2^q within 2^-90, |f_l| <= u f_h, and f_h 2^q is exact:
   e is right to 1.001 u.
2. s = RN(1 + e), s + t = 1 + e exactly (fast_two_sum, 1 >= e). The error of e is at most half as large relative to
   1 + e, so s is right to 0.501 u + u < 1.51 u. small = RN(e / s): 1.001 + 1.51 + 1 < 3.6 u. large = RN(1 / s): 2.6 u.
3. log1p(e) = log c + log1p(r), c = k/1024 with k = RN(1024 s), 1024 <= k <= 2048, so |s - c| <= 2^-11, and s - c is
   exact (Sterbenz). r = RN(RN((s - c) + t) / c): 2 u, |r| < 1.001 2^-11. log1p(r) = r - r^2 h, h = 1/2 - r/3 + r^2/4 -
   r^3/5: the tail, r^5/6, is below 2^-57 of r; h is right to 4 u, r^2 h < 2^-11.9 |r|, so that and its three roundings
   are below 2^-8 u of r; the subtraction u. log1p(r) is right to 3.1 u of itself (r's error enters with 1.001).
   k = 1024: log c = 0, r = e as computed, exactly: 1.001 (e) + 1.1 (subtraction, rest) < 2.2 u in all.
   k > 1024: log c > 0.999 2^-10 and |log1p(r)| < 1.002 2^-11, so L = log1p(e) > 0.498 2^-10, log c < 2.01 L and
   |log1p(r)| < 1.01 L. The table is right to u (the decimal module rounds ln correctly, to 40 digits, and float() once
   more): 2.02 + 3.1 1.01 + 1 (sum) + 1.001 (e: log1p has a condition number below 1) < 7.2 u.
4. M + L, both >= 0: 8.2 u.

So each value is right to TRUTH_ERROR = 2^-49 = 16 u: to 2^-25 of its own ULP in float32, where it is normal, and to
less where it is not. An error |got - value| / ULP is rounded once more, in the subtraction; the division is exact.

The ULP of a value is that of a lower bound of it: of the value less 2^-48 of itself, or of what is known to be no
larger. So where a value is that near to a power of two the smaller ULP is taken, and no error is understated. Where
it is near one for many M, the right one is taken: 1/(1+e) >= 1/2, M + log1p(e) > M (M = 32 and 64), and e/(1+e) < 1/2
but for M = 0, where it is 1/2 exactly.
"""

from __future__ import annotations

from decimal import Context, Decimal
from functools import cache
from typing import NamedTuple

import numpy as np

from gradlab.oracle.double_double import fast_two_sum
from gradlab.oracle.fast.exponential import exp_parts
from gradlab.oracle.intervals import Array

END = 0x42D00000  # the bits of 104; from 150 log 2 = 103.972 on, some 3700 margins before, e/(1+e) rounds to 0
TRUTH_ERROR = 2.0**-49
LOWERED = 1 - 2.0**-48
ULP_ERROR = 2.0**-24  # how far a reported error of at most 2^28 ULP may be off, in ULP: 2^-25 and a rounding

_BLOCK = 4096  # the temporaries of 32 KiB stay in the first two cache levels
_STEPS = 1024
_EXPONENT = 0x7FF << 52
_PRECISION, _SMALLEST_NORMAL = 24, 2.0**-126


class Truth(NamedTuple):
    """Values, each within TRUTH_ERROR, and 1 / ULP of them; margins and all others float64, shape (n,).

    losses[label], entries[label] with the label 0, at the maximum, or 1; the target's entry is -entries[label], the
    other one is entries[label].
    """

    margins: Array
    losses: tuple[Array, Array]
    entries: tuple[Array, Array]
    per_ulp_of_losses: tuple[Array, Array]
    per_ulp_of_entries: tuple[Array, Array]


def margins_of(bits: range) -> Array:
    """The margins with these bits, float32."""
    return np.arange(bits.start, bits.stop, bits.step, dtype=np.uint32).view(np.float32)


def truth_of(bits: range) -> Truth:
    """The truth for the margins with these bits, which must lie in [0, END)."""
    if not (bits and 0 <= bits[0] and bits[-1] < END):
        raise ValueError(f"bits must lie in [0, {END:#x}), got {bits}")
    margins = margins_of(bits).astype(np.float64)
    parts = [_values(margins[start : start + _BLOCK]) for start in range(0, len(margins), _BLOCK)]
    loss, small, large, beyond = (np.concatenate(column) for column in zip(*parts, strict=True))
    below_small = small * LOWERED
    if bits[0] == 0:
        below_small[0] = 0.5
    per_ulp_of_losses = (per_ulp(loss * LOWERED), per_ulp(np.maximum(beyond * LOWERED, margins)))
    per_ulp_of_entries = (per_ulp(below_small), np.full(len(margins), per_ulp(np.array(0.5))))
    return Truth(margins, (loss, beyond), (small, large), per_ulp_of_losses, per_ulp_of_entries)


def per_ulp(below: Array) -> Array:
    """1 / ULP in float32 of the numbers below < 2^100, at most 1 / the smallest subnormal; exact."""
    power = (below.view(np.int64) & _EXPONENT).view(np.float64)
    return np.asarray(2.0 ** (_PRECISION - 1) / np.maximum(power, _SMALLEST_NORMAL))


def _values(margins: Array) -> tuple[Array, Array, Array, Array]:
    """log1p(e), e/(1+e), 1/(1+e) and M + log1p(e)."""
    fraction, _, exponent = exp_parts((-margins, np.zeros_like(margins)))
    e = fraction * ((exponent + 1023) << 52).view(np.float64)
    s, t = fast_two_sum(np.ones_like(e), e)
    loss = _log_of_sum(s, t)
    return loss, e / s, 1.0 / s, margins + loss


def _log_of_sum(s: Array, t: Array) -> Array:
    """log(s + t) for s = RN(s + t) in [1, 2] (step 3 of the module's proof)."""
    step = np.rint(s * _STEPS)
    c = step / _STEPS
    r = ((s - c) + t) / c
    h = 0.5 - r * (1 / 3 - r * (0.25 - r * 0.2))
    table = np.take(_logarithms(), step.astype(np.int64) - _STEPS, mode="clip")
    return np.asarray(table + (r - (r * r) * h))


@cache
def _logarithms() -> Array:
    """log(k/1024) for k = 1024, ..., 2048."""
    digits = Context(prec=40)
    return np.array([float((Decimal(k) / _STEPS).ln(digits)) for k in range(_STEPS, 2 * _STEPS + 1)])
