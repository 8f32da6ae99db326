"""Blocks of rows or classes of a size that is in no list are found, and what is wrong with them is named."""

from __future__ import annotations

import pytest

from gradlab.diagnosis.layer.diagnosis import diagnose_layer
from gradlab.implementations.specimens.layer._pipeline import TILES
from gradlab.targets.shipped import layer_specimens
from tests.layer_claims import claimed, questions_for
from tests.runs import only_first

SIZE = 9
WAYS = [(name, number) for name, one in layer_specimens().items() for number in range(len(one.at_sizes))]


def test_the_size_is_in_no_list() -> None:
    assert SIZE not in TILES


def test_every_specimen_in_blocks_says_of_what() -> None:
    assert all((one.cut in ("rows", "classes")) is bool(one.at_sizes) for one in layer_specimens().values())


@pytest.mark.parametrize(
    "way", only_first(WAYS, ("chunks_averaged_alike", 0), ("gradient_of_the_last_chunk", 1)), ids=str
)
def test_a_defect_in_blocks_of_any_size_is_named(way: tuple[str, int]) -> None:
    """Where it shows on these problems at all."""
    name, number = way
    one = layer_specimens()[name]
    written = claimed(one.written_in_blocks(SIZE)[number])
    found = diagnose_layer(written, [question.problem for question in questions_for(one)], [one.killed_by])
    if found.n_wrong:
        assert any(name in some.defects for some in found.alternatives)
        assert found.unexplained == ()
