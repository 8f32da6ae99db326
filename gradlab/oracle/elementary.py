"""How far this machine's exp, log and their like are from the exact values, measured against ball arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, ctx

from gradlab.oracle.exact.conversion import to_enclosures
from gradlab.oracle.intervals import Array
from gradlab.oracle.ulp import error_in_ulp
from gradlab.problems.dtypes import Format, format_of

BITS = 160  # of working precision: arguments of at most 53 bits and exponents of at most 11 leave over 90


@dataclass(frozen=True)
class Elementary:
    """A function that every softmax is made of: as NumPy and as flint have it, and where it is measured.

    sample: (format, random numbers in [0, 1)) -> arguments, float64; where: the same in words.
    """

    name: str
    numpy: Callable[[Array], Any]
    ball: Callable[[arb], arb]
    sample: Callable[[Format, Array], Array]
    where: str


def _for_exp(fmt: Format, shares: Array) -> Array:
    return _for_exp2(fmt, shares) * math.log(2)


def _for_exp2(fmt: Format, shares: Array) -> Array:
    lowest, highest = np.log2(fmt.smallest_normal), np.log2(fmt.largest)
    return np.asarray(lowest + shares * (highest - lowest) * (1 - 2.0**-8))


def _for_expm1(fmt: Format, shares: Array) -> Array:
    """A quarter in [-1/2, 1/2], a quarter wherever exp is a normal number, a half log-uniform, of both signs."""
    near, wide = 4 * shares - 0.5, _for_exp(fmt, 4 * shares % 1)
    small = _log_uniform(np.log2(fmt.smallest_normal), np.log2(fmt.precision), 4 * shares % 1)
    return np.where(shares < 0.25, near, np.where(shares < 0.5, wide, np.where(shares < 0.75, small, -small)))


def _for_log(fmt: Format, shares: Array) -> Array:
    return np.where(shares < 0.5, _for_log1p(fmt, 2 * shares % 1), 3 * shares - 1)


def _for_log1p(fmt: Format, shares: Array) -> Array:
    return _log_uniform(np.log2(fmt.smallest_normal), np.log2(fmt.largest), shares)


def _log_uniform(lowest: float, highest: float, shares: Array) -> Array:
    return np.asarray(np.exp2(lowest + shares * (highest - lowest)))


def _ball_exp2(argument: arb) -> arb:
    return arb(2) ** argument


ELEMENTARY = (
    Elementary("exp", np.exp, arb.exp, _for_exp, "uniform, wherever exp is a normal number"),
    Elementary("exp2", np.exp2, _ball_exp2, _for_exp2, "uniform, wherever exp2 is a normal number"),
    Elementary(
        "log", np.log, arb.log, _for_log, "half log-uniform over the positive normal numbers, half uniform in [1/2, 2]"
    ),
    Elementary("log1p", np.log1p, arb.log1p, _for_log1p, "log-uniform over the positive normal numbers"),
    Elementary(
        "expm1",
        np.expm1,
        arb.expm1,
        _for_expm1,
        "half log-uniform of both signs, a quarter in [-1/2, 1/2], a quarter uniform wherever exp is a normal number",
    ),
)


@dataclass(frozen=True)
class LargestError:
    """The largest error found, in ULP, the argument at which it was found, and the answer; nothing is proved by it."""

    function: str
    dtype: str
    ulp: float
    argument: float
    answer: float


def sample_arguments(function: Elementary, dtype: str, n_arguments: int) -> Array:
    """n_arguments finite arguments of NumPy's function in a dtype, always the same ones."""
    shares = np.random.default_rng(1).random(n_arguments)
    with np.errstate(over="ignore", under="ignore"):
        arguments = function.sample(format_of(dtype), shares).astype(format_of(dtype).dtype)
    return np.asarray(arguments[np.isfinite(arguments.astype(np.float64))])


def largest_error(function: Elementary, dtype: str, arguments: Array) -> LargestError:
    """The largest error of NumPy's function at these arguments, which are in the dtype, by ball arithmetic."""
    with np.errstate(over="ignore", under="ignore"):
        answers = function.numpy(arguments)
    errors = errors_of(function, dtype, arguments, answers)
    worst = int(np.argmax(np.where(np.isnan(errors), np.inf, errors)))
    at_worst = (float(values[worst]) for values in (errors, arguments, answers))
    return LargestError(function.name, dtype, *at_worst)


def errors_of(function: Elementary, dtype: str, arguments: Array, answers: Array) -> Array:
    """The error of each answer in ULP of the dtype, by ball arithmetic."""
    return error_in_ulp(answers, _enclose(function, arguments), format_of(dtype))


def _enclose(function: Elementary, arguments: Array) -> Any:
    before = ctx.prec
    ctx.prec = BITS
    try:
        return to_enclosures([function.ball(arb(value)) for value in arguments.astype(np.float64).tolist()])
    finally:
        ctx.prec = before
