"""The digest of answers: one changed bit is seen, the layout in memory is not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradlab.campaigns.exhaustive.digest import WAY, Digest
from gradlab.campaigns.exhaustive.evaluation import SweepTarget
from gradlab.campaigns.exhaustive.pieces import sweep_piece
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
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


def exactly_rounded(logits: Any, labels: Any, reduction: str = "mean") -> Any:
    """No cross-entropy; but its bits are the same on every machine, being of sums, products and quotients alone."""
    x = logits.astype(np.float64)
    losses = 1 / (1 + x[:, 0] * x[:, 0]) + labels
    gradient = np.stack([losses * 3, losses / 7], axis=1)
    if reduction == "none":
        return losses.astype(np.float32), gradient.astype(np.float32)
    return np.float32(math.fsum(losses) / len(losses)), (gradient / len(losses)).astype(np.float32)


# Where one of these fails, digests are made in another way, and WAY needs another number.
KNOWN = {
    ("none", 0x41000000): "2a931c9bd75f26a1",
    ("mean", 0x41000000): "130d76196d0bc05d",
    ("none", 0x42AE0000): "5b5d2c6f642b9f89",
    ("mean", 0x42AE0000): "c5a78745f11e9c59",
    ("mean", 0x429C8000): "820bd2c97abd437f",
}


@pytest.mark.parametrize(("reduction", "first"), KNOWN)
def test_the_digests_of_certificates_that_are_kept_stay_what_they_are(reduction: str, first: int) -> None:
    one = SweepTarget(Implementation("given", exactly_rounded, Claims(reduction=("none", "mean"))), reduction)
    (found,) = sweep_piece([one], range(first, first + 7 * 10_000, 7))
    assert (WAY, found.digest) == (1, KNOWN[reduction, first])
