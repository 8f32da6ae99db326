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
    are_same,
    bits_of,
    bounds_of,
    decode_layout,
    dtype_of,
    encode_layout,
    layout_in,
    name_of,
)
from gradlab.problems.problem import Array


@dataclass(eq=False)
class Returned:
    """A result that the other process still has.

    call: the last one that returned it, or a view of it. checksum: of its bytes as the other process has them, None
    before the call after the one that returned it.
    """

    array: Array
    call: int
    checksum: int | None = None


@dataclass(frozen=True, eq=False)
class Given:
    """The block of an argument, its address, and where it was read from."""

    block: Array
    address: int
    begin: int


class ArraysThere:
    """given: the memory that is read here; answered: the memory that is written here."""

    def __init__(self, given: Arena, answered: Arena) -> None:
        self._given, self._answered = given, answered
        self._arguments: list[Given] = []
        self._results: dict[int, Returned] = {}
        self._n_results, self._n_calls = 0, 0

    def begin(self, released: Iterable[int], n_answered: int, is_alone: bool) -> None:
        """A call begins, when the other process had no longer some of the results, after it had so many answers.

        is_alone: whether it had all of them when it asked this.
        """
        if is_alone:
            self._answered.clear()
        self._arguments = []
        self._n_calls += 1
        for number in released:
            if number in self._results and self._results[number].call <= n_answered:
                del self._results[number]
        for one in self._results.values():
            if one.checksum is None:
                one.checksum = _checksum(one.array)

    def read(self, plain: list[Any]) -> Array:
        """An argument in memory of its own, with the layout that it has in the other process."""
        if plain[0] == "plain array":
            _, dtype, shape, begin, is_writeable = plain
            array = np.empty(shape, dtype_of(dtype))
            block = bits_of(array)
        else:
            _, given, begin, remainder, is_writeable = plain
            layout = decode_layout(given)
            block = aligned_block(layout.size, remainder)
            array = layout.array_in(block)
        block[:] = self._given.view(begin, block.size)
        if not is_writeable:
            array.flags.writeable = False
        self._arguments.append(Given(block, address_of(block), begin))
        return array

    def write(self, array: Array) -> list[Any]:
        """Says where a result is: in what was given or returned before, or in the memory that is shared."""
        low, high = bounds_of(array)
        for place, given in enumerate(self._arguments):
            if given.address <= low < high <= given.address + given.block.size:
                return ["view", "argument", place, encode_layout(layout_in(array, given.address, given.block.size))]
        for number, returned in self._results.items():
            first, size = address_of(returned.array), returned.array.nbytes
            if returned.array.flags.c_contiguous and first <= low < high <= first + size:
                returned.call = self._n_calls
                return ["view", "result", number, encode_layout(layout_in(array, first, size))]
        number, self._n_results = self._n_results, self._n_results + 1
        self._results[number] = Returned(array, self._n_calls)
        begin = self._answered.put(bits_of(np.ascontiguousarray(array)))
        return ["array", name_of(array.dtype), array.shape, begin, number]

    def changes(self) -> tuple[list[list[int]], list[list[int]]]:
        """What the call has changed: arguments by their places, earlier results by number, and where they are now."""
        arguments = [
            [place, self._answered.put(given.block)]
            for place, given in enumerate(self._arguments)
            if not are_same(given.block, self._given.view(given.begin, given.block.size))
        ]
        results = list[list[int]]()
        for number, one in self._results.items():
            if one.checksum is not None and one.checksum != (now := _checksum(one.array)):
                one.checksum = now
                results.append([number, self._answered.put(bits_of(np.ascontiguousarray(one.array)))])
        return arguments, results


def _checksum(array: Array) -> int:
    return zlib.crc32(bits_of(np.ascontiguousarray(array)).data)
