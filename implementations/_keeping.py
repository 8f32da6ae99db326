"""Compiled code that is kept on disk, and what the kernels over rows have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import float32, float64, intp, types, void

from ._elementary import compiled

LABELS = types.Array(intp, 1, "C", readonly=True)
CHUNK = 1024  # terms that are added in the working precision, in 32 or 64 lanes; the chunks' sums are added in float64


def keep(signatures: Any) -> Callable[[Callable[..., Any]], Any]:
    """njit for these signatures, kept on disk: under a name that changes with what numba overlooks.

    That is the code that a kernel calls in other files, and the name of its module, under which kept code looks for it:
    the folder can be imported by two.
    """

    def compile_and_keep(function: Callable[..., Any]) -> Any:
        function.__qualname__ += "_" + hashlib.sha256(function.__module__.encode() + _sources()).hexdigest()[:12]
        return compiled(signature_or_function=signatures, nogil=True, error_model="numpy", cache=True)(function)

    return compile_and_keep


def row_signatures() -> list[Any]:
    """Of a kernel over rows, for both dtypes: logits and labels that may be read-only, the answer, two numbers."""
    dtypes = (float32, float64)
    matrices = [(types.Array(one, 2, "C", readonly=True), types.Array(one, 2, "C")) for one in dtypes]
    rows = types.UniTuple(intp, 2)
    return [void(logits, LABELS, types.Tuple((float64[::1], gradient, float64)), rows) for logits, gradient in matrices]


def _sources() -> bytes:
    return b"".join(Path(__file__).with_name(name).read_bytes() for name in ("_elementary.py", "_keeping.py"))
