"""How far this machine's exp, log and log1p are from the exact values, measured against ball arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, ctx

from gradlab.oracle.conversion import to_enclosures
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
    lowest, highest = np.log(fmt.smallest_normal), np.log(fmt.largest)
    return np.asarray(lowest + shares * (highest - lowest) * (1 - 2.0**-8))


def _for_log(fmt: Format, shares: Array) -> Array:
    return np.where(shares < 0.5, _for_log1p(fmt, 2 * shares % 1), 3 * shares - 1)


def _for_log1p(fmt: Format, shares: Array) -> Array:
    lowest, highest = np.log2(fmt.smallest_normal), np.log2(fmt.largest)
    return np.asarray(np.exp2(lowest + shares * (highest - lowest)))


ELEMENTARY = (
    Elementary("exp", np.exp, arb.exp, _for_exp, "uniform, wherever exp is a normal number"),
    Elementary(
        "log", np.log, arb.log, _for_log, "half log-uniform over the positive normal numbers, half uniform in [1/2, 2]"
    ),
    Elementary("log1p", np.log1p, arb.log1p, _for_log1p, "log-uniform over the positive normal numbers"),
)


@dataclass(frozen=True)
class LargestError:
    """The largest error found, in ULP, and the argument at which it was found; nothing is proved by it."""

    function: str
    dtype: str
    ulp: float
    argument: float


def largest_error(function: Elementary, dtype: str, n_arguments: int) -> LargestError:
    """The largest error of NumPy's function over n_arguments drawn arguments, always the same ones."""
    fmt = format_of(dtype)
    shares = np.random.default_rng(1).random(n_arguments)
    with np.errstate(over="ignore", under="ignore"):
        arguments = function.sample(fmt, shares).astype(fmt.dtype)
        arguments = arguments[np.isfinite(arguments.astype(np.float64))]
        got = function.numpy(arguments)
    errors = error_in_ulp(got, _enclosed(function, arguments), fmt)
    worst = int(np.argmax(np.where(np.isnan(errors), np.inf, errors)))
    return LargestError(function.name, dtype, float(errors[worst]), float(arguments[worst]))


def _enclosed(function: Elementary, arguments: Array) -> Any:
    before = ctx.prec
    ctx.prec = BITS
    try:
        return to_enclosures([function.ball(arb(value)) for value in arguments.astype(np.float64).tolist()])
    finally:
        ctx.prec = before
