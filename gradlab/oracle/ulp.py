"""Errors in units in the last place (ULP) of a format, counted against enclosures; subnormal numbers included.

The ULP of a nonzero value v is 2^(floor(log2 |v|) - precision + 1), and never below the smallest subnormal number.
Above the largest number it goes on as if the exponents did. v is the exact value, not the rounded answer.

Needs gradual underflow: where a library has switched the process to flush-to-zero, subnormal answers are read as 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradlab.oracle.double_double import two_sum
from gradlab.oracle.intervals import Array, Enclosures, ldexp
from gradlab.problems.dtypes import Format, format_of

WIDTH_BITS = 20  # an enclosure is narrow when it is below 2^-20 ULP wide
_ROUNDING_SLACK = 1 + 2.0**-49  # covers eight roundings
_TINY = 2.0**-1000  # stands for what scaling lost below the smallest float64, in units of 2^scale


def ulp_exponent(values: Enclosures, fmt: Format) -> Array:
    """e with 2^e the ULP of each value in `fmt`; int64, the values' shape; without meaning for infinities and NaN.

    Where the enclosure straddles a power of two the smaller ULP is taken, so that an error is never understated.
    """
    size = np.abs(values.high)
    binade = np.where(size > 0, values.exponent, fmt.min_exponent)
    if ((size == 1.0) | (values.radius > 2.0**-54)).any():
        binade = _lowest_binade(values, fmt)
    return np.asarray(np.maximum(binade, fmt.min_exponent) - (fmt.precision - 1))


def _lowest_binade(values: Enclosures, fmt: Format) -> Array:
    """floor(log2) of the smallest size in each interval; the format's least where that may be 0."""
    inwards = np.where(values.high < 0, -values.low, values.low) - values.radius
    inwards = np.where(values.radius > 0, np.nextafter(inwards, -np.inf), inwards)
    with np.errstate(invalid="ignore"):
        total, rest = two_sum(np.abs(values.high), inwards)
    fraction, binade = np.frexp(total)
    below_power = (fraction == 0.5) & (rest < 0)
    return np.where(total > 0, values.exponent + binade - 1 - below_power, fmt.min_exponent)


def is_narrow(values: Enclosures, fmt: Format) -> Array:
    """Whether each enclosure is narrower than 2^-20 ULP of `fmt`; boolean, the values' shape.

    What is exact is narrow, infinities and NaN too.
    """
    plainly = ~(values.radius > np.abs(values.high) * 2.0 ** -(fmt.precision + WIDTH_BITS + 2))
    if plainly.all():  # |high| < 2, and a value in the binade of high, or just below it, has an ULP >= 2^-precision
        return np.asarray(plainly)
    room = ulp_exponent(values, fmt) - (WIDTH_BITS + 1) - values.exponent
    return np.asarray(plainly | (values.radius < ldexp(1.0, np.minimum(room, 1000))))


class Errors(NamedTuple):
    """Certified upper bounds of how far an answer is from the truth, of the truth's shape; float64."""

    absolute: Array
    in_ulp: Array


def errors_of(got: Array, truth: Enclosures, fmt: Format) -> Errors:
    """What `absolute_error` and `error_in_ulp` say; where got is in `fmt`, in little more time than one of them."""
    if format_of(np.asarray(got).dtype) != fmt:
        return Errors(absolute_error(got, truth), error_in_ulp(got, truth, fmt))
    with np.errstate(all="ignore"):
        scaled = _scaled(got, truth, fmt)
        return Errors(_absolute(scaled, truth, fmt), _in_ulp(scaled, truth, fmt))


def error_in_ulp(got: Array, truth: Enclosures, fmt: Format) -> Array:
    """A certified upper bound of |got - truth| / ULP(truth), the enclosure's radius included; float64.

    got: an array of the truth's shape in `fmt`'s dtype or in float64. 0 where both are NaN or the same infinity,
    and where got is infinite and the truth rounds to that infinity; infinite where only one of them is finite.
    The bound is at most 2^-48 relative and 2^-20 ULP above the exact error.
    """
    with np.errstate(all="ignore"):
        return _in_ulp(_scaled(got, truth, fmt), truth, fmt)


def absolute_error(got: Array, truth: Enclosures) -> Array:
    """A certified upper bound of |got - truth| in float64; the same rules for infinities and NaN as `error_in_ulp`.

    The truth rounds to infinity when it does so in got's own dtype.
    """
    fmt = format_of(np.asarray(got).dtype)
    with np.errstate(all="ignore"):
        return _absolute(_scaled(got, truth, fmt), truth, fmt)


class _Scaled(NamedTuple):
    """An answer in float64, and an upper bound of its distance from the truth in units of 2^scale."""

    got: Array
    scale: Array
    distance: Array


def _scaled(got: Array, truth: Enclosures, fmt: Format) -> _Scaled:
    """At the scale of the truth's ULP in `fmt`, times 2^precision."""
    got, scale = _float64(got), ulp_exponent(truth, fmt) + fmt.precision
    return _Scaled(got, scale, _scaled_distance(got, truth, scale))


def _in_ulp(scaled: _Scaled, truth: Enclosures, fmt: Format) -> Array:
    return _with_domain_rules(scaled.distance * 2.0**fmt.precision, scaled.got, truth, fmt)


def _absolute(scaled: _Scaled, truth: Enclosures, fmt: Format) -> Array:
    got, scale, distance = scaled
    error = ldexp(distance, scale)
    if (far := np.isinf(distance)).any():
        error = np.where(far, _plain_distance(got, truth), error)
    subnormal = (error < 2.0**-1022) & (distance > 0)
    if subnormal.any():
        error = np.where(subnormal, np.nextafter(error, np.inf), error)
    return _with_domain_rules(error, got, truth, fmt)


def _float64(got: Array) -> Array:
    got = np.asarray(got)
    if got.dtype == np.float64:
        return got
    with np.errstate(invalid="ignore"):
        return got.astype(np.float64)


def _scaled_distance(got: Array, truth: Enclosures, scale: Array) -> Array:
    """An upper bound of |got - truth| 2^-scale. Meaningless where either is not finite.

    got - high is split exactly (TwoSum), so cancellation costs nothing; what is left is two additions of relative
    error 2^-53 each, of which only the first can be magnified, by at most 2, since |low| is half a unit of high.
    """
    shift = truth.exponent - scale
    got = ldexp(got, -scale)
    high, low, radius = (ldexp(part, shift) for part in (truth.high, truth.low, truth.radius))
    far = (shift < -900) & (truth.high != 0)
    lost = np.where(far | (truth.low != 0) | (truth.radius > 0), _TINY, 0.0)  # low and radius may be tiny anywhere
    difference, rest = two_sum(got, -high)
    small = rest - low
    distance = np.abs(difference + small) + np.abs(small) * 2.0**-52
    total = (distance + (radius + lost)) * _ROUNDING_SLACK
    return np.where(np.isnan(total), np.inf, total)


def _plain_distance(got: Array, truth: Enclosures) -> Array:
    """An upper bound of |got - truth| by float64 alone, for what is too far off to be scaled: 2^1000 ULP of the truth.

    So far off are |got| or the radius, and what rounding the midpoint costs, an ULP of it or the smallest subnormal
    number, is less than 2^-900 of that; where the enclosure holds 0 the ULP is the smallest one, and the rounding
    2^-52 of the radius. The subtraction, the sum and the product are rounded by 2^-53 each.
    """
    reach = ldexp(truth.radius, truth.exponent)
    return np.asarray((np.abs(got - truth.nearest()) + reach) * _ROUNDING_SLACK)


def _with_domain_rules(error: Array, got: Array, truth: Enclosures, fmt: Format) -> Array:
    one_finite = np.isfinite(got) & np.isfinite(truth.high)
    if one_finite.all():
        return error
    same = (np.isnan(got) & np.isnan(truth.high)) | (got == truth.high)
    right = np.isinf(got) & (same | (_overflows(truth, fmt) & (np.sign(got) == np.sign(truth.high))))
    return np.where(right | (np.isnan(got) & same), 0.0, np.where(one_finite, error, np.inf))


def _overflows(truth: Enclosures, fmt: Format) -> Array:
    """Whether the truth rounds to infinity: |truth| >= largest + ULP/2, which is 2^(e + 1) (1 - 2^-(precision + 1)).

    Where the enclosure straddles that point both answers are right.
    """
    top = int(np.frexp(fmt.largest)[1])  # largest < 2^top
    above = (np.abs(truth.high) - 2.0) + 2.0**-fmt.precision  # exact where it decides, by Sterbenz's lemma
    reaches = above + (np.sign(truth.high) * truth.low + truth.radius) >= 0
    return np.asarray(np.isfinite(truth.high) & ((truth.exponent >= top) | ((truth.exponent == top - 1) & reaches)))
