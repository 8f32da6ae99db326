"""How the same numbers may lie in memory, and in which integer types labels may come."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.problems.problem import Array

Layout = Callable[[Array], Array]

READ_ONLY = "read-only"
PLAIN_LAYOUT, PLAIN_INTEGERS = "C order", "int64"


def _strided(x: Array) -> Array:
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), dtype=x.dtype)
    wide[..., ::2] = x
    return np.asarray(wide[..., ::2])


def _every_other_row(x: Array) -> Array:
    tall = np.zeros((2 * len(x), *x.shape[1:]), dtype=x.dtype)
    tall[::2] = x
    return np.asarray(tall[::2])


def _rows_apart(x: Array) -> Array:
    wide = np.zeros((*x.shape[:-1], x.shape[-1] + 3), dtype=x.dtype)
    wide[..., : x.shape[-1]] = x
    return np.asarray(wide[..., : x.shape[-1]])


def _unaligned(x: Array) -> Array:
    odd = np.empty(x.nbytes + 1, dtype=np.uint8)[1:].view(x.dtype).reshape(x.shape)
    odd[...] = x
    return np.asarray(odd)


def _read_only(x: Array) -> Array:
    x = x.copy()
    x.flags.writeable = False
    return x


def _columns_backwards(x: Array) -> Array:
    return np.asarray(x[..., ::-1].copy()[..., ::-1])


def _rows_backwards(x: Array) -> Array:
    return np.asarray(x[::-1].copy()[::-1])


LAYOUTS: dict[str, Layout] = {
    "Fortran order": lambda x: np.asfortranarray(x),
    "every other column of a wider array": _strided,
    "the first columns of a wider array": _rows_apart,
    "every other row of a taller array": _every_other_row,
    "unaligned": _unaligned,
    "negative strides": lambda x: _rows_backwards(x) if x.ndim == 1 else np.flip(np.flip(x).copy()),
    READ_ONLY: _read_only,
}
MORE_LAYOUTS: dict[str, Layout] = {  # that the covering array of sizes has as well
    PLAIN_LAYOUT: lambda x: x,
    "rows in reverse": _rows_backwards,
    "columns in reverse": _columns_backwards,
    "transposed, of a taller array": lambda x: _every_other_row(np.ascontiguousarray(x.T)).T,
}
INTEGERS = ("uint8", "int8", "int16", "int32", "uint64")
MORE_INTEGERS = (PLAIN_INTEGERS, "uint16", "uint32")


def one_row_repeated(x: Array) -> Array:
    """The same values with a stride of 0; labels, which are no repetition, as they are."""
    return np.broadcast_to(x[:1], x.shape) if x.ndim == 2 and (x == x[:1]).all() else x
