"""A reading of what a layer works out: what is replaced in it, and the words for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gradlab.layer.problem import OUTPUTS
from gradlab.localisation.layer.parts import Parts
from gradlab.problems.problem import Array

GRADIENTS = OUTPUTS[1:]


@dataclass(frozen=True, eq=False)
class Reading:
    """A change of the parts of a layer.

    said: in words, "" for none. outputs: in which it may be made alone. in_all_blocks: the same in blocks of every
    size, where it is one in blocks. finish: what is made of the whole output in the end.
    """

    said: str
    change: Callable[[Parts], Parts] = lambda parts: parts
    outputs: tuple[str, ...] = OUTPUTS
    in_all_blocks: Callable[[], Sequence[Reading]] = tuple
    finish: Callable[[Array], Array] = lambda output: output

    @property
    def likewise(self) -> Sequence[Reading]:
        """The same in blocks of other sizes."""
        return [one for one in self.in_all_blocks() if one.said != self.said]
