"""Arrays of calls in the process that is judged: arguments in memory of their own, results on their way back."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.judged.arena import Arena
from gradlab.judged.blocks import (
    address_of,
    aligned_block,
    bounds_of,
    bytes_of,
    decode_layout,
    dtype_of,
    encode_layout,
    layout_in,
)
from gradlab.problems.problem import Array


@dataclass(eq=False)
class Returned:
    """A result that the other process still has. checksum: of its bytes before the present call, None if not known."""

    array: Array
    checksum: int | None = None


@dataclass(frozen=True, eq=False)
class Given:
    """The block of an argument, and where it was read from."""

    block: Array
    begin: int


class ArraysThere:
    """given: the memory that is read here; answered: the memory that is written here."""

    def __init__(self, given: Arena, answered: Arena) -> None:
        self._given, self._answered = given, answered
        self._arguments: list[Given] = []
        self._results: dict[int, Returned] = {}
        self._n_results = 0

    def begin(self, released: Iterable[int]) -> None:
        """A call begins, when the other process has no longer some of the results."""
        self._answered.clear()
        self._arguments = []
        for number in released:
            self._results.pop(number, None)
        for one in self._results.values():
            one.checksum = _checksum(one.array)

    def read(self, plain: list[Any]) -> Array:
        """An argument in memory of its own, with the layout that it has in the other process."""
        _, given, begin, remainder, is_writeable = plain
        layout = decode_layout(given)
        array = np.empty(layout.shape, dtype_of(layout.dtype))
        if array.strides == layout.strides and array.nbytes == layout.size and address_of(array) % array.itemsize == 0:
            block = bytes_of(array)
        else:
            block = aligned_block(layout.size, remainder)
            array = layout.array_in(block)
        block[:] = self._given.view(begin, layout.size)
        array.flags.writeable = is_writeable
        self._arguments.append(Given(block, begin))
        return array

    def write(self, array: Array) -> list[Any]:
        """Says where a result is: in what was given or returned before, or in the memory that is shared."""
        low, high = bounds_of(array)
        for place, given in enumerate(self._arguments):
            first = address_of(given.block)
            if first <= low < high <= first + given.block.size:
                return ["view", "argument", place, encode_layout(layout_in(array, first, given.block.size))]
        for number, returned in self._results.items():
            first, size = address_of(returned.array), returned.array.nbytes
            if returned.array.flags.c_contiguous and first <= low < high <= first + size:
                return ["view", "result", number, encode_layout(layout_in(array, first, size))]
        number, self._n_results = self._n_results, self._n_results + 1
        self._results[number] = Returned(array)
        whole = np.ascontiguousarray(array).reshape(array.shape)
        begin = self._answered.put(bytes_of(whole))
        return ["array", encode_layout(layout_in(whole, address_of(whole), whole.nbytes)), begin, number]

    def changes(self) -> tuple[list[list[int]], list[list[int]]]:
        """What the call has changed: arguments by their places, earlier results by number, and where they are now."""
        arguments = [
            [place, self._answered.put(given.block)]
            for place, given in enumerate(self._arguments)
            if not np.array_equal(given.block, self._given.view(given.begin, given.block.size))
        ]
        results = [
            [number, self._answered.put(bytes_of(np.ascontiguousarray(one.array)))]
            for number, one in self._results.items()
            if one.checksum is not None and one.checksum != _checksum(one.array)
        ]
        return arguments, results


def _checksum(array: Array) -> int:
    return zlib.crc32(bytes_of(np.ascontiguousarray(array)).data)
