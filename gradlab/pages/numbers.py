"""One number three ways: in decimal, in hexadecimal, and as the bits of its format."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from gradlab.problems.dtypes import Format, format_of

_HEXADECIMAL = re.compile(r"-?0x[01](?:\.[0-9a-f]+)?p[+-]\d+")
_DECIMAL = re.compile(r"-?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf|nan)(?![\w.])")


@dataclass(frozen=True)
class Bits:
    """The fields of a float, as digits 0 and 1."""

    sign: str
    exponent: str
    fraction: str

    def __str__(self) -> str:
        return f"{self.sign} {self.exponent} {self.fraction}"


@dataclass(frozen=True)
class Written:
    """A value as it is shown: what was said of it, its decimal, its hexadecimal and its bits; None for no number.

    is_rounded: whether the bits are those of the nearest float, since the value itself is none.
    """

    said: str
    hexadecimal: str | None = None
    bits: Bits | None = None
    is_rounded: bool = False


def written(said: str, dtype: str) -> Written:
    """What is said of a value in a report, such as "0.125 (0x1p-3)" or "104 ± 3e-17", with its bits in a dtype."""
    value = _value_in(said)
    if value is None:
        return Written(said)
    rounded = _nearest(value, dtype)
    own = _HEXADECIMAL.search(said)
    plain = said.replace(f" ({own.group()})", "") if own else said
    return Written(
        plain,
        value.hex() if math.isfinite(value) else None,
        bits_of(rounded, dtype),
        math.isfinite(value) and rounded != value,
    )


def bits_of(value: float, dtype: str) -> Bits:
    """The fields of a number in a format, to which it is rounded."""
    fmt = format_of(dtype)
    width = fmt.dtype.itemsize * 8
    with np.errstate(over="ignore", invalid="ignore"):
        pattern = int(np.asarray(value, dtype=np.float64).astype(fmt.dtype).view(f"u{fmt.dtype.itemsize}"))
    digits = f"{pattern:0{width}b}"
    ends = width - (fmt.precision - 1)
    return Bits(digits[0], digits[1:ends], digits[ends:])


def bits_lost(error: float | str, fmt: Format) -> float | None:
    """How many bits of a format an error in ULP costs: 0 where it is half a ULP, all where it is as large as the value.

    None where no number came back.
    """
    size = float(error)
    if not math.isfinite(size):
        return None
    return min(float(fmt.precision), max(0.0, math.log2(2 * size))) if size > 0 else 0.0


def _value_in(said: str) -> float | None:
    """The number that a text says first, the hexadecimal one where there is one."""
    if found := _HEXADECIMAL.search(said):
        return float.fromhex(found.group())
    if found := _DECIMAL.match(said.removeprefix("at most ").removeprefix("at least ")):
        return float(found.group())
    return None


def _nearest(value: float, dtype: str) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.asarray(value, dtype=np.float64).astype(format_of(dtype).dtype).astype(np.float64))
