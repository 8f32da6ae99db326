"""The digest of answers: one changed bit is seen, the layout in memory is not."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.harness.exhaustive_digest import Digest
from gradlab.oracle.intervals import Array


def digest(loss: object, gradient: Array) -> str:
    found = Digest()
    found.add(np.asarray(loss), gradient)
    return found.hexadecimal()


GRADIENT = np.random.default_rng(1).random((50, 2)).astype(np.float32)
LOSS = np.random.default_rng(2).random(50).astype(np.float32)


@pytest.mark.parametrize("bit", range(32))
def test_any_changed_bit_of_an_answer_changes_it(bit: int) -> None:
    for place in (0, 49):
        gradient, loss = GRADIENT.copy(), LOSS.copy()
        gradient.view(np.uint32)[place, 1] ^= np.uint32(1) << np.uint32(bit)
        loss.view(np.uint32)[place] ^= np.uint32(1) << np.uint32(bit)
        assert len({digest(LOSS, GRADIENT), digest(LOSS, gradient), digest(loss, GRADIENT)}) == 3


def test_rows_that_change_places_change_it() -> None:
    assert digest(LOSS, GRADIENT) != digest(LOSS, GRADIENT[::-1])


def test_the_layout_in_memory_does_not_change_it() -> None:
    assert digest(LOSS, GRADIENT) == digest(LOSS, np.asfortranarray(GRADIENT))


def test_the_order_of_calls_changes_it() -> None:
    first, second = Digest(), Digest()
    first.add(LOSS, GRADIENT)
    first.add(LOSS, GRADIENT * 2)
    second.add(LOSS, GRADIENT * 2)
    second.add(LOSS, GRADIENT)
    assert first.hexadecimal() != second.hexadecimal()


def test_a_mean_loss_counts() -> None:
    assert digest(np.float32(1), GRADIENT) != digest(np.float32(2), GRADIENT)
    assert len(digest(np.float32(1), GRADIENT)) == 16
