"""What may be replaced in a layer. How often the terms of an output are taken is no reading: that is fitted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gradlab.localisation.features.feature import BLOCKS
from gradlab.localisation.layer.blocks import readings_of_blocks
from gradlab.localisation.layer.operands import readings_of_logits, readings_of_operands
from gradlab.localisation.layer.reading import Reading
from gradlab.localisation.layer.targets import readings_of_targets


def groups_of_readings() -> Iterator[Iterable[Reading]]:
    """All readings in groups, the most likely first; of the blocks those of one size are a group."""
    yield (Reading(""), *readings_of_targets(), *readings_of_logits(), *readings_of_operands())
    yield from map(readings_of_blocks, BLOCKS)
