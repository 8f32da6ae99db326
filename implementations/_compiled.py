"""What the compiled implementations share: their arguments, their threads, and where the kernels come from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ._inputs import Array, checked_labels, checked_logits
from ._rows import divisor_of

MIN_ENTRIES = 2**17  # of a thread: below it, starting one costs more than it saves


def kernels() -> ModuleType:
    """The compiled kernels; the first import on a machine compiles them, which takes some 10 s, and keeps the code.

    Raises ImportError where numba is not installed.
    """
    try:
        from . import _kernels
    except ModuleNotFoundError as error:
        raise ImportError(f"this needs {error.name}, which the extra brings: gradlab-verify[fast]") from error
    return _kernels


class Execution(NamedTuple):
    """How a kernel is run: in how many threads at most, and the array for the gradient, None for a new one."""

    threads: int
    out: Array | None


def loss_and_gradient(kernel: str, logits: Any, labels: Any, reduction: str, how: Execution) -> tuple[Any, Array]:
    """The loss and the gradient that the kernel of that name computes."""
    logits, labels = arguments(logits, labels)
    losses, gradient = np.empty(len(logits)), written_to(how.out, logits, labels)
    answer = (losses, gradient, divisor_of(reduction, len(logits)))
    rows = getattr(kernels(), kernel)
    run(lambda part: rows(logits, labels, answer, part), logits.shape, how.threads)
    return reduced(losses, reduction, logits.dtype), gradient


def arguments(logits: Any, labels: Any) -> tuple[Array, Array]:
    """The logits and the labels, checked, as aligned arrays in C order; copied only where they are not."""
    logits, labels = _laid_out(checked_logits(logits)), np.asarray(labels)
    if logits.dtype.name not in ("float32", "float64"):
        raise TypeError(f"logits must be float32 or float64, got {logits.dtype}")
    ready = labels.dtype == np.intp and labels.shape == logits.shape[:1]
    if ready and kernels().all_below(_laid_out(labels), logits.shape[1]):  # NumPy takes longer than some hundred rows
        return logits, _laid_out(labels)
    return logits, _laid_out(checked_labels(labels, logits))


def _laid_out(array: Array) -> Array:
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.require(array, requirements=["C", "A"])


def written_to(out: Array | None, logits: Array, labels: Array) -> Array:
    """The array for the gradient: `out`, or a new one. Raises ValueError where `out` does not fit.

    Labels that the kernel would write over would no longer be checked ones when it comes to them.
    """
    if out is None:
        return np.empty(logits.shape, logits.dtype)
    fits = out.shape == logits.shape and out.dtype == logits.dtype and out.flags.carray
    if not fits or np.may_share_memory(out, logits) or np.may_share_memory(out, labels):
        raise ValueError(
            f"out must be an array of its own in C order, {logits.dtype} of shape {logits.shape},"
            f" got {out.dtype} of shape {out.shape}"
        )
    return out


def run(some_rows: Callable[[tuple[int, int]], None], shape: tuple[int, ...], threads: int) -> None:
    """Calls some_rows((first, last)) for all rows, in so many threads at most; the kernels hold no lock."""
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    n_rows, n_classes = shape
    parts = max(1, min(threads, n_rows, n_rows * n_classes // MIN_ENTRIES))
    bounds = [n_rows * part // parts for part in range(parts + 1)]
    others = [threading.Thread(target=some_rows, args=((bounds[part], bounds[part + 1]),)) for part in range(1, parts)]
    for thread in others:
        thread.start()
    some_rows((0, bounds[1]))
    for thread in others:
        thread.join()


def reduced(losses: Array, reduction: str, dtype: np.dtype[Any]) -> Any:
    """The losses (N,), float64, as the reduction asks, in the dtype; the mean of none is NaN."""
    if reduction == "none":
        with np.errstate(over="ignore"):  # a loss beyond the largest float32 is inf
            return losses.astype(dtype, copy=False)
    return dtype.type(kernels().sum_over(losses, divisor_of(reduction, len(losses)), dtype.type(0)))
