"""`c:./libce.so:softmax_ce`: a function in a shared library, with a signature in softmax_ce.h, called by ctypes.

The library runs in this process, and what crashes there ends it; `exec:` keeps a program apart. So that a kernel which
reads its row at the label does not do so outside the row, labels outside [0, K) are refused before the call.
"""

from __future__ import annotations

import ctypes
import inspect
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.adapters.c_options import Options, claims_of
from gradlab.adapters.checked import check_labels, checked_shape
from gradlab.evaluation.claims import implementation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found
from gradlab.targets.importing import TargetError

HEADER = Path(__file__).with_name("softmax_ce.h")
SUFFIXES = {"float32": "_f32", "float64": "_f64"}
GUARD = 64  # entries before and after each output, which must be what they were

Kernel = Callable[..., int]


def resolve(reference: str, target: str) -> Found:
    """What a target `c:library:name` stands for; it claims the dtypes for which the library has a function.

    Raises TargetError where the library does not load, or has neither name_f32 nor name_f64.
    """
    path, _, name = reference.rpartition(":")
    if not path or not name.isidentifier():
        raise TargetError(f"{target} must be a library and a function after c:, as in c:./libce.so:softmax_ce")
    library = shared_library(path)
    taken = claims_of(library, name)
    called = name if taken is None else f"{name}_options"
    kernels = _kernels(library, called, taken is not None)
    if not kernels:
        raise TargetError(f"{path} must define {called}_f32 or {called}_f64, as in {HEADER}; it defines neither")

    call = _plain_call(kernels) if taken is None else _call_with_options(kernels, taken["options"])
    return Found(name, implementation(dtypes=list(kernels), keeps_dtype=True, **(taken or {}))(call), None, target)


def loss_and_gradient(
    kernel: Kernel, logits: Array, labels: Array, options: Options | None = None
) -> tuple[Array, Array]:
    """The loss, shape () or (N,), and the gradient (N, K) that a C function writes; NaN where it writes nothing.

    options: None for a function that takes none. Raises TypeError or ValueError for what C cannot be given,
    RuntimeError where it returns anything but 0 or writes beyond its arrays.
    """
    n_rows, n_classes = checked_shape(logits, labels)
    check_labels(labels if options is None else options.kept(labels), n_classes)
    shape = (n_rows,) if options is not None and options.is_none else ()
    x = np.require(logits, requirements=["C", "A"])
    y = np.require(labels, np.int64, ["C", "A"])
    loss, gradient = guarded_room(n_rows if shape else 1, x.dtype), guarded_room(x.size, x.dtype)
    outputs = [guarded[GUARD:].ctypes.data for guarded in (loss, gradient)]
    given = [] if options is None else [ctypes.byref(options)]
    status = kernel(x.ctypes.data, y.ctypes.data, n_rows, n_classes, *given, *outputs)
    if status != 0:
        raise RuntimeError(f"the C function must return 0, returned {status}")
    return unguarded("loss", loss).reshape(shape), unguarded("gradient", gradient).reshape(logits.shape)


def _plain_call(kernels: dict[str, Kernel]) -> Callable[..., tuple[Array, Array]]:
    return lambda logits, labels: loss_and_gradient(kernels[logits.dtype.name], logits, labels)


def _call_with_options(kernels: dict[str, Kernel], taken: Sequence[str]) -> Callable[..., tuple[Array, Array]]:
    def call(logits: Array, labels: Array, reduction: str = "mean", **options: Any) -> tuple[Array, Array]:
        given = Options.of(reduction, options, logits)
        return loss_and_gradient(kernels[logits.dtype.name], logits, labels, given)

    own = list(inspect.signature(call).parameters.values())[:-1]
    keywords = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in taken]
    setattr(call, "__signature__", inspect.Signature(own + keywords))  # noqa: B010  # what it does not take is refused
    return call


def shared_library(path: str) -> ctypes.CDLL:
    """The library, loaded. Raises TargetError where there is none."""
    if not os.path.isfile(path):
        raise TargetError(f"{path} does not exist")
    try:
        return ctypes.CDLL(os.path.abspath(path))
    except OSError as error:
        raise TargetError(f"{path} must be a shared library: {' '.join(str(error).split())}") from error


def _kernels(library: ctypes.CDLL, name: str, with_options: bool) -> dict[str, Any]:
    """The functions of that name which a library has, by dtype."""
    kernels = {dtype: getattr(library, name + suffix, None) for dtype, suffix in SUFFIXES.items()}
    options = [ctypes.POINTER(Options)] if with_options else []
    for kernel in filter(None, kernels.values()):
        kernel.argtypes = [*[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 2, *options, *[ctypes.c_void_p] * 2]
        kernel.restype = ctypes.c_int
    return {dtype: kernel for dtype, kernel in kernels.items() if kernel is not None}


def guarded_room(size: int, dtype: np.dtype[Any]) -> Array:
    """Room for the output, all NaN, between two guards that are numbers."""
    guarded = np.full(size + 2 * GUARD, np.nan, dtype=dtype)
    guarded[:GUARD] = guarded[-GUARD:] = GUARD
    return guarded


def unguarded(name: str, guarded: Array) -> Array:
    """The room between the guards. Raises RuntimeError where these are not what they were."""
    if not ((guarded[:GUARD] == GUARD).all() and (guarded[-GUARD:] == GUARD).all()):
        raise RuntimeError(f"the C function must write the {name} alone, wrote before or after it")
    return guarded[GUARD:-GUARD]
