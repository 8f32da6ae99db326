"""The same calls in a process where nothing is of gradlab: code that is right only where it is judged shows there.

There, no module of gradlab is loaded, the command, the environment, the folders and the file names do not bear its
name, and the parent is a process of no name either. Some calls of a run, which nobody can foretell, are made there too.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from gradlab.evaluation.call import current_purpose
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.foreign import Described, ForeignError, pair_of
from gradlab.evaluation.text import one_line
from gradlab.isolation.limits import LOADING
from gradlab.judged.plain_process import PlainError, PlainProcess, Reference
from gradlab.judged.process import Place
from gradlab.problems.problem import Array
from gradlab.targets.callables import is_path
from gradlab.targets.prefixes import LAYER, split_prefix

OFTEN, UNTIL, SELDOM = 2, 8, 8  # one call of so many is made again; up to so many; then one of so many
SENT = "biufV"  # kinds of dtypes; the last one has those of ml_dtypes
SLACK = 8  # units in the last place of the largest entry, for additions in another order
WHERE = "where nothing is gradlab's, in another process,"


class Chance:
    """Which calls are made again: in each group of so many one, nobody knows which."""

    def __init__(self) -> None:
        self._left, self._chosen, self._n_chosen = 0, 0, 0

    def falls_on_this_call(self) -> bool:
        """Whether the next call is made again."""
        if self._left == 0:
            self._left = OFTEN if self._n_chosen < UNTIL else SELDOM
            self._chosen = 1 + secrets.randbelow(self._left)
        is_chosen = self._left == self._chosen
        self._n_chosen += is_chosen
        self._left -= 1
        return is_chosen


@dataclass(eq=False)
class Again:
    """A call that is made again in a process; seconds: in which it is to come back.

    is_over: whether its answer was asked for, which is done once.
    """

    process: PlainProcess
    seconds: float
    is_over: bool = False

    def compared_with(self, value: Any) -> Any:
        """The value, or that of the same call there where that is another. Raises ForeignError where there is none."""
        parts = _numeric(value)
        if parts is None:
            self.forget()
            return value
        self.is_over = True
        try:
            numbers = self.process.receive(sum(part.size for part in parts), self.seconds)
        except PlainError as error:
            self.process.close()
            raise ForeignError("RuntimeError", f"{WHERE} {one_line(str(error))}") from None
        if numbers is None:
            return value
        others = np.split(numbers, [parts[0].size])
        if not any(_differ(own.reshape(-1), other) for own, other in zip(parts, others, strict=True)):
            return value
        return tuple(other.astype(own.dtype).reshape(own.shape) for own, other in zip(parts, others, strict=True))

    def forget(self) -> None:
        """Nobody wants to know what it comes to."""
        self.is_over = True
        try:
            self.process.skip(self.seconds)
        except PlainError:
            self.process.close()


class Plainly:
    """Calls of a function of a target, some of which are made again in a plain process of its own.

    name: of the function, where the target is a file. A target that needs an adapter, or that ships with gradlab, is
    never asked again.
    """

    def __init__(self, target: str, name: str, claims: Claims, place: Place) -> None:
        self._reference = _reference_of(target, name) if claims.layer is None else None
        self._claims, self._place = claims, place
        self._chance = Chance()
        self._process: PlainProcess | None = None
        self._last: Again | None = None

    def begin(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Again | None:
        """A call is made, and made again there at the same time if chance has it so; None for any other.

        While there is one whose answer was not asked for, there is no other.
        """
        if self._reference is None:
            return None
        if self._last is not None and self._last.is_over:
            self._last = None
        if self._process is None or self._process.is_closed:
            self._process = PlainProcess(self._reference, self._claims, self._place)
        if self._last is not None or current_purpose.get() or not _can_be_sent(arguments, keywords):
            return None
        if not self._chance.falls_on_this_call():
            return None
        self._process.send(arguments, keywords)
        seconds = self._place.limits.seconds_for("") + self._place.limits.seconds_for(LOADING)
        self._last = Again(self._process, seconds)
        return self._last

    def close(self) -> None:
        """Ends the process; another call has it begin again."""
        if self._process is not None:
            self._process.close()
            self._process = self._last = None


def _reference_of(target: str, name: str) -> Reference | None:
    """Where a target's function can be found without gradlab; None where it cannot."""
    if split_prefix(target)[0] or target.startswith(LAYER):
        return None
    head, _, attribute = target.rpartition(":")
    if not head:
        head, attribute = target, name
    is_file = is_path(head)
    if not all(part.isidentifier() for part in attribute.split(".")) or (is_file and not head.endswith(".py")):
        return None
    return None if not (is_file or ":" in target) else Reference(head, attribute)


def _can_be_sent(arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
    """Whether a call has nothing but two plain arrays, and keywords that are arrays or plain values."""
    arrays = [*arguments, *(one for one in keywords.values() if isinstance(one, np.ndarray))]
    others = [one for one in keywords.values() if not isinstance(one, np.ndarray)]
    return (
        len(arguments) == 2
        and all(isinstance(one, np.ndarray) and one.dtype.kind in SENT for one in arrays)
        and all(isinstance(one, str | int | float | None) for one in others)
    )


def _numeric(value: Any) -> list[Array] | None:
    """The loss and the gradient as arrays; None where they are no real numbers."""
    pair = pair_of(value)
    if pair is None or any(isinstance(part, Described | str | bytes) or part is None for part in pair):
        return None
    parts = [np.asarray(part) for part in pair]
    return parts if all(part.dtype.kind in SENT for part in parts) else None


def _differ(own: Array, other: Array) -> bool:
    wide = own.astype(np.float64)
    finite = np.isfinite(wide)
    if not (
        np.array_equal(finite, np.isfinite(other)) and np.array_equal(wide[~finite], other[~finite], equal_nan=True)
    ):
        return True
    if not finite.any() or own.dtype.kind in "iub":
        return not np.array_equal(wide, other, equal_nan=True)
    finfo: Any = ml_dtypes.finfo
    unit = float(finfo(own.dtype).eps) * float(np.abs(wide[finite]).max())
    return bool((np.abs(wide[finite] - other[finite]) > SLACK * unit).any())
