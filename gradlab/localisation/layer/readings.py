"""What may be replaced in a layer. How often the terms of an output are taken is no reading: that is fitted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice

from gradlab.localisation.features.feature import BLOCKS
from gradlab.localisation.layer.blocks import readings_of_blocks, readings_of_ends
from gradlab.localisation.layer.operands import (
    readings_of_logits,
    readings_of_operands,
    readings_of_penalties,
    readings_of_residuals,
)
from gradlab.localisation.layer.reading import Reading
from gradlab.localisation.layer.targets import readings_of_targets


def groups_of_readings(sizes: Iterable[int] = ()) -> Iterator[Iterable[Reading]]:
    """All readings in groups, the most likely first; of the blocks those of one size are a group.

    sizes: more sizes of blocks.
    """
    yield (Reading(""), *readings_of_targets(), *readings_of_logits(), *readings_of_operands())
    yield (*readings_of_penalties(), *readings_of_residuals(), *readings_of_ends())
    yield from map(_in_blocks, dict.fromkeys((*sizes, *BLOCKS)))


def _in_blocks(size: int) -> list[Reading]:
    """The readings in blocks of one size, each of which knows those in blocks of another."""
    found = enumerate(readings_of_blocks(size))
    return [replace(one, in_all_blocks=partial(_in_all_blocks, place)) for place, one in found]


def _in_all_blocks(place: int) -> list[Reading]:
    """The reading at this place among those of blocks, in blocks of every size."""
    return [one for size in BLOCKS for one in islice(readings_of_blocks(size), place, place + 1)]
