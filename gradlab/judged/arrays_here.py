"""Arrays of calls in the process that judges: arguments are put into shared memory, results copied out of it.

What is returned shares memory as it does in the other process: a result that is a view of an argument is one here, and
an earlier result that a later call has changed changes here, as long as anybody has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from sys import getrefcount
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


def _n_references(arrays: Mapping[int, Array]) -> dict[int, int]:
    """How many references to each there are."""
    return {number: getrefcount(array) for number, array in arrays.items()}


ALONE = _n_references({0: np.empty(0)})[0]  # references to an array that nothing else refers to


@dataclass(frozen=True, eq=False)
class Given:
    """The arguments of a call as they were written, and what is told of the results before.

    released: the numbers of those that nobody has any more. n_answered: how many calls had been answered.
    is_alone: whether these were all.
    """

    released: dict[int, Array]
    n_answered: int
    is_alone: bool
    arguments: list[Array] = field(default_factory=list)


class ArraysHere:
    """The arrays of calls, of which one may begin before those before it are answered.

    given: the memory that is written here; answered: the memory that the other process writes.
    """

    def __init__(self, given: Arena, answered: Arena) -> None:
        self._memory, self._answered = given, answered
        self._results: dict[int, Array] = {}
        self._released: dict[int, Given] = {}  # where it was told to the other process, which may not know it yet
        self._n_results, self._n_begun, self._n_answered = 0, 0, 0

    @property
    def has_much(self) -> bool:
        """Whether all calls should be answered before the next one begins."""
        return self._memory.has_much

    def begin(self) -> Given:
        """A call begins."""
        is_alone = self._n_begun == self._n_answered
        if is_alone:
            self._memory.clear()
        self._n_begun += 1
        gone = [number for number, count in _n_references(self._results).items() if count == ALONE]
        given = Given({number: self._results.pop(number) for number in gone}, self._n_answered, is_alone)
        self._released |= dict.fromkeys(gone, given)
        return given

    def end(self, given: Given) -> None:
        """The first call that was not answered is now: what was released before it cannot come again."""
        self._n_answered += 1
        for number in given.released:
            if self._released.get(number) is given:
                del self._released[number]

    def write(self, given: Given, array: Array) -> list[Any]:
        """Puts an argument where the other process reads it, and says how it lies there."""
        given.arguments.append(array)
        if lies_plainly(array):
            begin = self._memory.put(bits_of(array))
            return ["plain array", name_of(array.dtype), array.shape, begin, array.flags.writeable]
        low, high = bounds_of(array)
        layout = layout_in(array, low if array.size else address_of(array), high - low)
        begin = self._memory.put(_block_of(array))
        return ["array", encode_layout(layout), begin, low % ALIGNMENT, array.flags.writeable]

    def read(self, given: Given, plain: list[Any]) -> Array:
        """A result, copied, or a view of an argument or of another result. Raises ValueError."""
        match plain:
            case ["array", str(dtype), list(shape), int(begin), int(number)]:
                return self._copy(dtype, tuple(shape), begin, number)
            case ["view", "argument", int(place), layout] if 0 <= place < len(given.arguments):
                return _view_of(_block_of(given.arguments[place]), decode_layout(layout))
            case ["view", "result", int(number), layout] if (kept := self._kept(number)) is not None:
                return _view_of(bytes_of(kept), decode_layout(layout))
        raise LayoutError("a result is no array that was given or returned")

    def take_in(self, given: Given, arguments: Any, results: Any) -> None:
        """Changes arguments and earlier results as the call has changed them. Raises ValueError."""
        for place, begin in _pairs(arguments):
            if not 0 <= place < len(given.arguments):
                raise LayoutError(f"there is no argument {place}")
            block = _block_of(given.arguments[place])
            block[:] = self._answered.view(begin, block.size)
        for number, begin in _pairs(results):
            kept = self._results.get(number)
            if kept is not None:
                bytes_of(kept)[:] = self._answered.view(begin, kept.nbytes)  # a read-only array changes as well

    def _copy(self, dtype: str, shape: tuple[int, ...], begin: int, number: int) -> Array:
        content = self._answered.view(begin, n_bytes_of(dtype, shape))
        array = np.empty(shape, dtype_of(dtype))
        bits_of(array)[:] = content
        if number != self._n_results:
            raise LayoutError(f"the next result must have number {self._n_results}, has {number}")
        self._n_results += 1
        self._results[number] = array
        return array

    def _kept(self, number: int) -> Array | None:
        """A result of which there is a view: if it was released, it is no longer, as the other process sees it, too."""
        if number in self._released:
            self._results[number] = self._released.pop(number).released[number]
        return self._results.get(number)


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
