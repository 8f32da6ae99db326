"""A NumPy function in float32 at every bit pattern there is, 2^32 of them, against the same function in float64.

The float64 answer stands for the exact value. It is taken to be within TRUTH_ULP = 4 ULP of float64, which is 2^-27 ULP
of float32 and is added to every error; a search (`function_search`) finds less than one ULP. The largest error is then
measured again by ball arithmetic at its argument, which rests on nothing of the kind.

Arrays are contiguous here. With the stride reversed NumPy 2.4 leaves all but exp and log in float32 to the C library
also where it has AVX-512; what that is right to shows in a build whose newer instructions are switched off.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np

from gradlab.oracle.elementary import ELEMENTARY, Elementary
from gradlab.oracle.intervals import Array
from gradlab.problems.dtypes import format_of

ALL = range(2**32)  # the bits of every float32, infinities and NaN too
TRUTH_ULP = 4
_PIECE, _CHUNK = 2**25, 2**15  # a second's work; what fits in the cache
_FORMAT = format_of("float32")
_EXPONENT = 0x7FF0_0000_0000_0000  # of the bits of a float64
_INFINITE_FROM = _FORMAT.largest * (1 + _FORMAT.unit_roundoff / 2)  # half an ULP above the largest number

Watch = Callable[[int, int], None]  # is told how many arguments are done, and of how many


@dataclass(frozen=True)
class Swept:
    """The largest error over `n_arguments` bit patterns: no error is above at_most, in ULP; the argument's bits."""

    n_arguments: int
    at_most: float
    bits: int

    @property
    def argument(self) -> float:
        return float(np.uint32(self.bits).view(np.float32))


def sweep(function: Elementary, bits: range, n_processes: int, watch: Watch = lambda done, total: None) -> Swept:
    """The largest error of the function at all float32 arguments with these bits; the work is shared out."""
    found: list[Swept] = []
    with contextlib.closing(_pieces(function, bits, n_processes)) as pieces:
        for piece in pieces:
            found.append(piece)
            watch(sum(one.n_arguments for one in found), len(bits))
    worst = max(found, key=lambda one: (one.at_most, -one.bits))
    return Swept(len(bits), worst.at_most, worst.bits)


def sweep_here(function: Elementary, bits: range) -> Swept:
    """As `sweep`, here and now."""
    largest, where = -1.0, 0
    for start in range(0, len(bits), _CHUNK):
        chunk = bits[start : start + _CHUNK]
        patterns = np.arange(chunk.start, chunk.stop, chunk.step, dtype=np.uint64).astype(np.uint32)
        errors = errors_in_ulp(function, patterns.view(np.float32))
        place = int(errors.argmax())
        if errors[place] > largest:
            largest, where = float(errors[place]), int(patterns[place])
    return Swept(len(bits), largest, where)


def errors_in_ulp(function: Elementary, arguments: Array) -> Array:
    """Upper bounds of the errors in ULP at float32 arguments; infinite where only one of answer and truth is NaN."""
    with np.errstate(all="ignore"):
        got = function.numpy(arguments)
        truth = function.numpy(arguments.astype(np.float64))
        errors = np.abs(got - truth) / _ulp(truth) + TRUTH_ULP * 2.0**-29
    return errors if np.isfinite(errors.max(initial=0.0)) else _with_domain_rules(errors, got, truth)


def _ulp(truth: Array) -> Array:
    """The ULP in float32 of each value, the smaller one where it is within TRUTH_ULP of a power of two."""
    size = np.maximum(np.abs(truth), _FORMAT.smallest_normal)
    binade = ((size.view(np.int64) - 2 * TRUTH_ULP) & _EXPONENT).view(np.float64)
    return np.asarray(np.maximum(binade, _FORMAT.smallest_normal) * 2.0 ** (1 - _FORMAT.precision))


def _with_domain_rules(errors: Array, got: Array, truth: Array) -> Array:
    """0 where both are NaN or the same infinity, or the truth rounds to the infinity; infinite where one alone is."""
    neither = np.isnan(got) & np.isnan(truth)
    right = np.isinf(got) & (np.abs(truth) >= _INFINITE_FROM * (1 - 2.0**-50)) & (np.sign(got) == np.sign(truth))
    return np.where(neither | right, 0.0, np.where(np.isnan(errors), np.inf, errors))


def _pieces(function: Elementary, bits: range, n_processes: int) -> Generator[Swept, None, None]:
    todo = [bits[start : start + _PIECE] for start in range(0, len(bits), _PIECE)]
    if n_processes == 1:
        yield from (sweep_here(function, piece) for piece in todo)
        return
    with ProcessPoolExecutor(n_processes, initializer=_leave_interrupts_to_the_parent) as pool:
        try:
            running = [pool.submit(_in_a_process, function.name, piece) for piece in todo]
            for future in as_completed(running):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _in_a_process(name: str, piece: range) -> Swept:
    (function,) = (one for one in ELEMENTARY if one.name == name)
    return sweep_here(function, piece)
