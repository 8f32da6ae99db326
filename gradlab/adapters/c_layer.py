"""`layer:c:./liblayer.so:softmax_layer`: a layer in a shared library, with the signature in softmax_layer.h.

The library runs in this process, and what crashes there ends it. Labels outside [0, K), and shapes that do not fit, are
refused before the call, as in `c:`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.adapters.c_function import GUARD, SUFFIXES, guarded_room, shared_library, unguarded
from gradlab.adapters.checked import check_labels
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found
from gradlab.targets.importing import TargetError

HEADER = Path(__file__).with_name("softmax_layer.h")
CLAIMS = {
    "takes": ["X", "W", "targets", "b"],
    "weight_layout": "DK",
    "feature_layout": "ND",
    "bias_layout": "K",
    "keeps_dtype": True,
}

Kernel = Callable[..., int]


def resolve(reference: str, target: str) -> Found:
    """What a target `layer:c:library:name` stands for; it claims the dtypes for which the library has a function.

    Raises TargetError where the library does not load, or has neither name_f32 nor name_f64.
    """
    path, _, name = reference.rpartition(":")
    if not path or not name.isidentifier():
        example = "layer:c:./liblayer.so:softmax_layer"
        raise TargetError(f"{target} must be a library and a function after layer:c:, as in {example}")
    kernels = _kernels(shared_library(path), name)
    if not kernels:
        raise TargetError(f"{path} must define {name}_f32 or {name}_f64, as in {HEADER}; it defines neither")

    def call(
        X: Array,
        W: Array,
        targets: Array,
        b: Array | None = None,
        l2: float = 0.0,
    ) -> dict[str, Array]:
        given = {"X": X, "W": W, "targets": targets} | ({} if b is None else {"b": b})
        return loss_and_gradients(kernels[X.dtype.name], given, l2)

    return Found(name, call, None, target, {**CLAIMS, "dtypes": list(kernels)})


def loss_and_gradients(kernel: Kernel, given: Mapping[str, Array], l2: float) -> dict[str, Array]:
    """What a C function writes, by name; NaN where it writes nothing.

    Raises TypeError or ValueError for what C cannot be given, RuntimeError where it returns anything but 0 or writes
    beyond its arrays.
    """
    shape = _checked_sizes(given)
    floats = {name: np.require(given[name], requirements=["C", "A"]) for name in ("X", "W", "b") if name in given}
    labels = np.require(given["targets"], np.int64, ["C", "A"])
    shapes = {"loss": (), **{f"d{name}": one.shape for name, one in floats.items()}}
    rooms = {name: guarded_room(int(np.prod(one)), floats["X"].dtype) for name, one in shapes.items()}
    inputs = [floats[name].ctypes.data if name in floats else None for name in ("X", "W", "b")]
    written = [rooms[name][GUARD:].ctypes.data if name in rooms else None for name in ("loss", "dX", "dW", "db")]
    status = kernel(*inputs, labels.ctypes.data, *shape, float(l2), *written)
    if status != 0:
        raise RuntimeError(f"the C function must return 0, returned {status}")
    return {name: unguarded(name, rooms[name]).reshape(one) for name, one in shapes.items()}


def _checked_sizes(given: Mapping[str, Array]) -> tuple[int, int, int]:
    """N, D and K. Raises ValueError or TypeError where the arrays do not fit each other."""
    features, weight, labels = given["X"], given["W"], given["targets"]
    if features.ndim != 2 or weight.ndim != 2 or features.shape[1] != weight.shape[0]:
        raise ValueError(f"X and W must have shapes (N, D) and (D, K), got {features.shape} and {weight.shape}")
    if labels.shape != features.shape[:1]:
        raise ValueError(f"labels must have shape {features.shape[:1]}, got {labels.shape}")
    if "b" in given and given["b"].shape != weight.shape[1:]:
        raise ValueError(f"b must have shape {weight.shape[1:]}, got {given['b'].shape}")
    for name in ("W", "b"):
        if name in given and given[name].dtype != features.dtype:
            raise TypeError(f"{name} must have the features' dtype {features.dtype}, got {given[name].dtype}")
    check_labels(labels, weight.shape[1])
    return (*features.shape, weight.shape[1])


def _kernels(library: ctypes.CDLL, name: str) -> dict[str, Any]:
    """The functions of that name which a library has, by dtype."""
    kernels = {dtype: getattr(library, name + suffix, None) for dtype, suffix in SUFFIXES.items()}
    for kernel in filter(None, kernels.values()):
        pointers = [ctypes.c_void_p] * 4
        kernel.argtypes = [*pointers, *[ctypes.c_int64] * 3, ctypes.c_double, *pointers]
        kernel.restype = ctypes.c_int
    return {dtype: kernel for dtype, kernel in kernels.items() if kernel is not None}
