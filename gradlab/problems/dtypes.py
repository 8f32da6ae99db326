"""The four floating-point formats under test, and their constants."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

DTYPE_NAMES = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class Format:
    """A binary floating-point format: everything a bound or a family needs to know of it.

    precision: bits of the significand, the hidden one included; unit_roundoff = 2^-precision.
    min_exponent: the smallest normal number is 2^min_exponent; smallest_subnormal = 2^(min_exponent - precision + 1).
    """

    name: str
    precision: int
    min_exponent: int
    largest: float

    @property
    def unit_roundoff(self) -> float:
        return 2.0**-self.precision

    @property
    def smallest_normal(self) -> float:
        return 2.0**self.min_exponent

    @property
    def smallest_subnormal(self) -> float:
        return math.ldexp(1.0, self.min_exponent - self.precision + 1)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return as_dtype(self.name)


_FORMATS = {
    "float16": Format("float16", 11, -14, 65504.0),
    "bfloat16": Format("bfloat16", 8, -126, float((2 - 2.0**-7) * 2.0**127)),
    "float32": Format("float32", 24, -126, float((2 - 2.0**-23) * 2.0**127)),
    "float64": Format("float64", 53, -1022, sys.float_info.max),
}


@cache
def as_dtype(name: str) -> np.dtype[np.generic]:
    """The NumPy dtype called `name`; bfloat16 comes from ml_dtypes, which is imported only for it."""
    import numpy as np

    if name == "bfloat16":
        import ml_dtypes

        bfloat16: np.dtype[np.generic] = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    if name not in _FORMATS:
        raise ValueError(f"dtype must be one of {', '.join(DTYPE_NAMES)}, got {name!r}")
    return np.dtype(name)


@cache
def format_of(dtype: np.dtype[np.generic] | str) -> Format:
    """The format of a dtype, or of a dtype's name. Byte order does not matter.

    Raises ValueError for anything but float16, bfloat16, float32 and float64.
    """
    import numpy as np

    name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    if name not in _FORMATS:
        raise ValueError(f"dtype must be one of {', '.join(DTYPE_NAMES)}, got {name!r}")
    return _FORMATS[name]
