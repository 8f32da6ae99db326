"""The kernels of double-double arithmetic: those of NumPy, or loops compiled by numba once it has paid to load that.

Compiled are the same Python functions, without fast mathematics and without contraction to fused multiply-adds, so
every bit is the same; that is tried on a sample before they are used. Where numba is missing, fails, or differs, NumPy
does the work. numba keeps on disk what it compiled, under a name that changes with the sources of the oracle.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from gradlab.oracle import double_double, intervals
from gradlab.oracle.double_double import Pair
from gradlab.oracle.fast import array_kernels, exponential, loop_kernels
from gradlab.oracle.fast.array_kernels import Parts, Scale, Terms
from gradlab.oracle.fast.block_sums import block_width
from gradlab.oracle.fast.exponential import Constants, constants
from gradlab.oracle.intervals import Array

BREAK_EVEN = 2**24  # entries: loading takes 1.3 s (5 s the first time) and saves 60 to 90 ns an entry, measured
_OPTIONS: Any = {"error_model": "numpy"}  # no check for division by 0; `fastmath` stays off


class Kernels(NamedTuple):
    """The functions of `array_kernels`, or others that do the same."""

    exponentials: Callable[[Array, Array, Constants, Terms, Array], None]
    scaled_sums: Callable[[Terms, Array, int], Pair]
    products: Callable[[Terms, Scale, Parts], None]
    costs: Callable[[Pair, Array, Array, int], Pair]
    differences: Callable[[Terms, Scale, Pair, Parts], None]


ARRAY_KERNELS = Kernels(*(getattr(array_kernels, name) for name in Kernels._fields))


@dataclass
class _Progress:
    """How many entries kernels were asked for in this process."""

    entries: int = 0


_progress = _Progress()


def kernels_for(n_entries: int) -> Kernels:
    """The kernels for a block of so many entries: NumPy's, until BREAK_EVEN entries have come by in this process.

    So a short run, such as one `gradlab check`, never waits for numba; a long one loses about the time of loading it.
    """
    _progress.entries += n_entries
    if _progress.entries < BREAK_EVEN:
        return ARRAY_KERNELS
    return compiled_kernels() or ARRAY_KERNELS


@cache
def compiled_kernels() -> Kernels | None:
    """The loops, compiled; None where numba is missing or fails, or where their bits differ from NumPy's."""
    try:
        kernels = _compile()
        return kernels if outcome(kernels, *_sample()) == outcome(ARRAY_KERNELS, *_sample()) else None
    except Exception:  # whatever goes wrong in numba or LLVM: NumPy's kernels do without
        return None


def outcome(kernels: Kernels, logits: Array, t: Pair) -> list[bytes]:
    """The bits of all that the kernels make of a block of rows of logits (R, K) and of coefficients t (R, K)."""
    shape, top = logits.shape, logits.argmax(1)
    highest, width = logits[np.arange(len(top)), top], block_width(shape[0] * 16)
    terms, negligible = array_kernels.unwritten_terms(shape), np.empty(shape, bool)
    kernels.exponentials(logits, top, constants(), terms, negligible)
    sums = kernels.scaled_sums(terms, terms.exponent.max(1), width)
    c = 1 / (1 + sums[0])
    scale = Scale(c, c * 2.0**-54, -np.arange(len(top)), np.full(len(top), 2.0**-89))
    found: list[Array] = [*terms, negligible, *sums, *kernels.costs(t, logits, highest, width)]
    for write in (kernels.products, lambda terms, scale, out: kernels.differences(terms, scale, t, out)):
        parts = intervals.unwritten(shape)
        out = (parts.high, parts.low, parts.radius, parts.exponent)
        write(terms, scale, out)
        found += out
    return [part.tobytes() for part in found]


def _sample() -> tuple[Array, Pair]:
    """Five rows of 300 classes: ordinary and wide ones, ties, masked classes; some of their coefficients are 0."""
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1, (5, 300)) * np.array([[1.0], [30.0], [3000.0], [0.0], [5.0]])
    logits[4, ::3] = -np.inf
    shares = rng.dirichlet(np.ones(300), 5)
    shares[~(logits > -4)] = 0.0
    return logits, (shares, shares * rng.uniform(-(2.0**-54), 2.0**-54, shares.shape))


def _compile() -> Kernels:
    """The loops as numba's functions, which are compiled, or loaded from disk, when they are first called."""
    import numba
    from numba.extending import overload, register_jitable

    for function in _SHARED:
        register_jitable(**_OPTIONS)(function)
    for function, on_numbers in _ON_NUMBERS.items():
        overload(function, jit_options=_OPTIONS, strict=False)(_always(on_numbers))
    compile_ = numba.njit(cache=True, nogil=True, **_OPTIONS)
    digest = _digest_of_sources()
    return Kernels(*(compile_(_rename(getattr(loop_kernels, name), f"{name}_{digest}")) for name in Kernels._fields))


def _sources() -> list[Path]:
    """Every file of the oracle, which has all that is compiled in this folder and above it."""
    return sorted(Path(__file__).parents[1].rglob("*.py"))


def _digest_of_sources() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in _sources())).hexdigest()[:12]


def _rename(function: FunctionType, name: str) -> FunctionType:
    """The function under a name that numba is to keep it by on disk.

    numba itself would notice a change of the function's own file, but not of the files of the functions that it calls.
    """
    copy = FunctionType(function.__code__, function.__globals__)
    copy.__qualname__ = name
    return copy


def _always(implementation: Callable[..., Any]) -> Callable[..., Callable[..., Any]]:
    """What numba asks for an implementation, given the types of the arguments."""
    return lambda *types: implementation


def _integer(values: Any) -> Any:
    return np.int64(values)


def _entry(table: Any, places: Any) -> Any:
    return table[places]


def _power(exponent: Any) -> Any:
    return np.int64((exponent + 1023) << 52).view(np.float64)


def _normalise(high: Any, low: Any, radius: Any, exponent: Any) -> Any:
    shift = ((np.float64(high).view(np.int64) >> 52) & 0x7FF) - 1023
    if -1000 < shift < 1000:  # high is normal, and so is the factor: as exact as ldexp, which rounds once too
        factor = np.int64((1023 - shift) << 52).view(np.float64)
        return high * factor, low * factor, radius * factor, exponent + shift
    fraction, binade = math.frexp(high)
    binade -= fraction != 0
    return fraction * 2.0, math.ldexp(low, -binade), math.ldexp(radius, -binade), exponent + binade


# What is compiled from the very functions that NumPy's kernels call.
_SHARED: tuple[Callable[..., Any], ...] = (
    double_double.two_sum,
    double_double.fast_two_sum,
    double_double.split,
    double_double.two_product,
    double_double.add_nonnegative,
    double_double.add,
    double_double.multiply,
    exponential.exp_with,
    exponential.expm1,
    array_kernels.difference,
    loop_kernels.row_sum,
)

# What has to be said otherwise of a number than of an array: moves of bits, and scaling by powers of two.
_ON_NUMBERS: dict[Callable[..., Any], Callable[..., Any]] = {
    exponential.as_integers: _integer,
    exponential.look_up: _entry,
    intervals.power_of_two: _power,
    intervals.normalised_parts: _normalise,
}
