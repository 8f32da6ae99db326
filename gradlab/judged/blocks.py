"""Arrays as blocks of memory: an array of any layout is made again in another process, bit by bit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from gradlab.problems.problem import Array

ALIGNMENT = 64  # bytes: where a block begins is kept modulo this
KINDS = "biufcSUVmM"  # of dtypes: all that hold no objects
MAX_DIMENSIONS = 32
WORD = 8  # bytes that are compared at once
FEW = 1 << 12  # bytes that are compared as Python's


class LayoutError(ValueError):
    """What is no layout of an array, or of one that does not lie in its block."""


@dataclass(frozen=True)
class Layout:
    """How an array lies in a block of memory.

    dtype: its text, or the name of one of ml_dtypes. shape. strides: bytes. offset: bytes from the block's beginning to
    the first entry. size: bytes of the block.
    """

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    size: int

    def array_in(self, memory: Array) -> Array:
        """The array, in a block of uint8 of this size; it keeps the block alive."""
        return np.ndarray(self.shape, dtype_of(self.dtype), memory, self.offset, self.strides)


def layout_in(array: Array, begin: int, size: int) -> Layout:
    """The layout of an array in the block that begins at this address, in which it lies."""
    return Layout(name_of(array.dtype), array.shape, array.strides, address_of(array) - begin, size)


def bounds_of(array: Array) -> tuple[int, int]:
    """The address of the first byte of an array, and of the one behind its last."""
    if array.flags.c_contiguous:
        low = address_of(array)
        return low, low + array.nbytes
    low, high = byte_bounds(array)
    return (low, high) if array.size else (low, low)


def address_of(array: Array) -> int:
    """The address of the first entry."""
    address: int = array.__array_interface__["data"][0]
    return address


@dataclass(frozen=True, eq=False)
class Memory:
    """Bytes at an address, whose owner lives as long; NumPy makes an array of it without a copy."""

    address: int
    size: int
    owner: object

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return {"shape": (self.size,), "typestr": "|u1", "data": (self.address, False), "version": 3}


def memory_at(address: int, size: int, owner: object) -> Array:
    """The bytes at an address as an array of uint8 that can be written; it keeps their owner alive."""
    return np.asarray(Memory(address, size, owner)) if size else np.empty(0, np.uint8)


def lies_plainly(array: Array) -> bool:
    """Whether it is an array as NumPy makes one anew: its dtype and shape say how it lies in memory."""
    return array.flags.c_contiguous and array.flags.aligned


def bits_of(array: Array) -> Array:
    """A contiguous array as a view of uint8, which can be written where the array can."""
    return array.reshape(-1).view(np.uint8)


def bytes_of(array: Array) -> Array:
    """The bytes of a contiguous array, as an array of uint8 that can be written."""
    return memory_at(address_of(array), array.nbytes, array)


def aligned_block(size: int, remainder: int) -> Array:
    """A new block of uint8 whose address is `remainder` modulo ALIGNMENT."""
    memory = np.empty(size + 2 * ALIGNMENT, np.uint8)
    start = (remainder - address_of(memory)) % ALIGNMENT
    return memory[start : start + size]


def name_of(dtype: np.dtype[Any]) -> str:
    """What `dtype_of` reads: of the dtypes of ml_dtypes, which NumPy takes for void, the name."""
    return dtype.name if dtype.isbuiltin == 2 else dtype.str


@lru_cache(128)
def dtype_of(name: str) -> np.dtype[Any]:
    """The dtype of a name. Raises LayoutError for one that is none, or that holds objects."""
    try:
        if name.isidentifier():
            import ml_dtypes

            dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        else:
            dtype = np.dtype(name)
    except (TypeError, ValueError, AttributeError, ImportError, SyntaxError) as error:
        raise LayoutError(f"{name!r:.40} is no dtype") from error
    if dtype.kind not in KINDS or dtype.hasobject or dtype.fields:
        raise LayoutError(f"{name!r:.40} is no dtype of plain numbers or text")
    return dtype


@lru_cache(1024)
def n_bytes_of(name: str, shape: tuple[int, ...]) -> int:
    """The bytes of a contiguous array, of what a process says that is not trusted. Raises LayoutError for none."""
    if len(shape) > MAX_DIMENSIONS or not _are_integers([*shape]) or min(shape, default=0) < 0:
        raise LayoutError("it is no shape")
    return math.prod(shape) * dtype_of(name).itemsize


def are_same(one: Array, other: Array) -> bool:
    """Whether two arrays of uint8 of the same length are bit by bit the same."""
    if one.size <= FEW:
        return one.tobytes() == other.tobytes()
    whole = one.size // WORD * WORD
    words = one[:whole].view(np.uint64) == other[:whole].view(np.uint64)
    return bool(words.all()) and one[whole:].tobytes() == other[whole:].tobytes()


def encode_layout(layout: Layout) -> dict[str, Any]:
    """A layout as plain data."""
    return {
        "dtype": layout.dtype,
        "shape": list(layout.shape),
        "strides": list(layout.strides),
        "offset": layout.offset,
        "size": layout.size,
    }


def decode_layout(plain: Any) -> Layout:
    """A layout from plain data of a process that is not trusted. Raises LayoutError unless it lies in its block."""
    if not isinstance(plain, Mapping) or plain.keys() != {"dtype", "shape", "strides", "offset", "size"}:
        raise LayoutError("it has no dtype, shape, strides, offset and size")
    shape, strides = plain["shape"], plain["strides"]
    if not (_are_integers(shape) and _are_integers(strides) and _are_integers([plain["offset"], plain["size"]])):
        raise LayoutError("its numbers are no integers")
    if not isinstance(plain["dtype"], str) or len(shape) != len(strides) or len(shape) > MAX_DIMENSIONS:
        raise LayoutError("it is no shape of a dtype")
    layout = Layout(plain["dtype"], tuple(shape), tuple(strides), plain["offset"], plain["size"])
    if min(shape, default=1) < 0 or not _lies_in_its_block(layout):
        raise LayoutError("the array does not lie in its block")
    return layout


def _are_integers(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and abs(value) < 1 << 62 for value in values)


def _lies_in_its_block(layout: Layout) -> bool:
    if 0 in layout.shape:
        return 0 <= layout.offset <= layout.size
    extents = [(length - 1) * stride for length, stride in zip(layout.shape, layout.strides, strict=True)]
    low = layout.offset + sum(extent for extent in extents if extent < 0)
    high = layout.offset + sum(extent for extent in extents if extent > 0) + dtype_of(layout.dtype).itemsize
    return 0 <= low and high <= layout.size
