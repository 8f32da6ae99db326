"""Arrays of calls in the process that judges: arguments are put into shared memory, results copied out of it.

What is returned shares memory as it does in the other process: a result that is a view of an argument is one here, and
an earlier result that a later call has changed changes here, as long as anybody has it.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from gradlab.judged.arena import Arena
from gradlab.judged.blocks import (
    ALIGNMENT,
    Layout,
    LayoutError,
    address_of,
    bits_of,
    bounds_of,
    bytes_of,
    decode_layout,
    dtype_of,
    encode_layout,
    layout_in,
    lies_plainly,
    memory_at,
    n_bytes_of,
    name_of,
)
from gradlab.problems.problem import Array


class ArraysHere:
    """given: the memory that is written here; answered: the memory that the other process writes."""

    def __init__(self, given: Arena, answered: Arena) -> None:
        self._given, self._answered = given, answered
        self._arguments: list[Array] = []
        self._results: dict[int, weakref.ref[Array]] = {}
        self._released: list[int] = []
        self._n_results = 0

    def begin(self) -> list[int]:
        """A call begins; the numbers of results that nobody has any more since the last one began."""
        self._given.clear()
        self._arguments = []
        released, self._released = self._released, []
        return released

    def forget(self) -> None:
        """The other process is a new one, which knows of no results."""
        self._results.clear()
        self._released.clear()
        self._n_results = 0

    def write(self, array: Array) -> list[Any]:
        """Puts an argument where the other process reads it, and says how it lies there."""
        self._arguments.append(array)
        if lies_plainly(array):
            begin = self._given.put(bits_of(array))
            return ["plain array", name_of(array.dtype), array.shape, begin, array.flags.writeable]
        low, high = bounds_of(array)
        layout = layout_in(array, low if array.size else address_of(array), high - low)
        begin = self._given.put(_block_of(array))
        return ["array", encode_layout(layout), begin, low % ALIGNMENT, array.flags.writeable]

    def read(self, plain: list[Any]) -> Array:
        """A result, copied, or a view of an argument or of another result. Raises ValueError."""
        match plain:
            case ["array", str(dtype), list(shape), int(begin), int(number)]:
                return self._copy(dtype, tuple(shape), begin, number)
            case ["view", "argument", int(place), given] if 0 <= place < len(self._arguments):
                return _view_of(_block_of(self._arguments[place]), decode_layout(given))
            case ["view", "result", int(number), given] if (kept := self._kept(number)) is not None:
                return _view_of(bytes_of(kept), decode_layout(given))
        raise LayoutError("a result is no array that was given or returned")

    def take_in(self, arguments: Any, results: Any) -> None:
        """Changes arguments and earlier results as the call has changed them. Raises ValueError."""
        for place, begin in _pairs(arguments):
            if not 0 <= place < len(self._arguments):
                raise LayoutError(f"there is no argument {place}")
            block = _block_of(self._arguments[place])
            block[:] = self._answered.view(begin, block.size)
        for number, begin in _pairs(results):
            kept = self._kept(number)
            if kept is not None:
                bytes_of(kept)[:] = self._answered.view(begin, kept.nbytes)  # a read-only array changes as well

    def _copy(self, dtype: str, shape: tuple[int, ...], begin: int, number: int) -> Array:
        content = self._answered.view(begin, n_bytes_of(dtype, shape))
        array = np.empty(shape, dtype_of(dtype))
        bits_of(array)[:] = content
        if number != self._n_results:
            raise LayoutError(f"the next result must have number {self._n_results}, has {number}")
        self._n_results += 1
        self._results[number] = weakref.ref(array, lambda _: self._release(number))
        return array

    def _release(self, number: int) -> None:
        self._results.pop(number, None)
        self._released.append(number)

    def _kept(self, number: int) -> Array | None:
        found = self._results.get(number)
        return found() if found is not None else None


def _block_of(array: Array) -> Array:
    """The memory in which it lies, as an array of uint8 that can be written."""
    low, high = bounds_of(array)
    return memory_at(low, high - low, array)


def _view_of(block: Array, layout: Layout) -> Array:
    if layout.size != block.size:
        raise LayoutError(f"the block of an array has {block.size} bytes, not {layout.size}")
    return layout.array_in(block)


def _pairs(plain: Any) -> list[tuple[int, int]]:
    """Pairs of a number and a place. Raises LayoutError for anything else."""
    if not isinstance(plain, list):
        raise LayoutError("changes must be a list")
    pairs = [(one[0], one[1]) for one in plain if isinstance(one, list) and len(one) == 2]
    if len(pairs) != len(plain) or not all(type(one) is int for pair in pairs for one in pair):
        raise LayoutError("a change is a number and a place")
    return pairs
