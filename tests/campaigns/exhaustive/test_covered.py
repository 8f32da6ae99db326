"""What a certificate says of every margin goes to the chart against the margin, unless the two do not agree."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gradlab.campaigns.exhaustive.certificate import Certificate
from gradlab.campaigns.exhaustive.covered import cover
from gradlab.campaigns.exhaustive.file import read_certificate
from gradlab.campaigns.exhaustive.lookup import Certified
from gradlab.campaigns.exhaustive.tally import QUANTITIES, Quantity
from gradlab.harness.curves import Curve, PartErrors, spaced
from gradlab.measure.accuracy import PARTS
from gradlab.problems.dtypes import format_of

FOLDER = Path(__file__).parents[3] / "docs/exhaustive"
VALUES = tuple(spaced(2.0**-3, 119.0, format_of("float32")).tolist())


def certificate_named(name: str) -> Certified:
    path = FOLDER / f"{name}.json"
    found = read_certificate(path)
    return Certified(path, found, found.outcomes[0])


def curve(error: float = 0.0) -> Curve:
    """A curve against the margin, of the same error everywhere."""
    errors = PartErrors((error,) * len(VALUES), (1e9,) * len(VALUES))
    return Curve("margin", "float32", VALUES, dict.fromkeys(PARTS, errors))


@pytest.mark.parametrize(("name", "parts"), [("accurate", PARTS), ("shifted", PARTS[1:]), ("textbook", PARTS[1:])])
def test_the_parts_of_which_every_margin_was_tried_are_covered(name: str, parts: tuple[str, ...]) -> None:
    covered = cover(curve(), certificate_named(name)).covered
    assert covered is not None
    assert tuple(covered.parts) == parts
    assert (covered.n_margins, covered.end) == (1_120_927_744, 104.0)


@pytest.mark.parametrize("name", ["accurate", "shifted", "fused", "textbook"])
def test_the_largest_so_far_is_that_of_all_pieces_up_to_there(name: str) -> None:
    found = certificate_named(name)
    covered = cover(curve(), found).covered
    assert covered is not None
    for part, own in covered.parts.items():
        column = QUANTITIES.index(Quantity(0, part))
        assert own.margins[0] == VALUES[0]
        assert all(a < b for a, b in pairwise(own.margins))
        assert all(a < b for a, b in pairwise(own.largest))
        for margin in VALUES[:-2]:
            bits = int(np.float32(margin).view(np.uint32))
            expected = max(one.largest[column] or 0.0 for at, one in found.outcome.evidence.items() if at[0] <= bits)
            assert own.largest[np.searchsorted(own.margins, margin, side="right") - 1] == expected
        assert own.worst <= own.largest[-1]


def test_a_curve_that_is_further_off_than_the_certificate_says_is_not_covered_by_it() -> None:
    assert cover(curve(0.75), certificate_named("accurate")).covered is None
    part = curve()
    beyond = tuple(0.75 if value < 104 else 0.0 for value in VALUES)
    clash = replace(part, parts={**part.parts, "target": PartErrors(beyond, (1e9,) * len(VALUES))})
    covered = cover(clash, certificate_named("accurate")).covered
    assert covered is not None
    assert tuple(covered.parts) == ("loss", "others")


def test_beyond_the_last_margin_a_certificate_says_nothing() -> None:
    part = curve()
    beyond = tuple(0.0 if value < 104 else 1e6 for value in VALUES)
    far = replace(part, parts=dict.fromkeys(PARTS, PartErrors(beyond, (1e9,) * len(VALUES))))
    covered = cover(far, certificate_named("accurate")).covered
    assert covered is not None
    assert tuple(covered.parts) == PARTS


def test_a_certificate_that_contradicts_itself_covers_nothing() -> None:
    found = certificate_named("accurate")
    pieces = {at: replace(one, largest=(0.25,) * len(QUANTITIES)) for at, one in found.outcome.evidence.items()}
    assert cover(curve(), replace(found, outcome=replace(found.outcome, evidence=pieces))).covered is None


def test_a_certificate_without_pieces_covers_nothing() -> None:
    found = certificate_named("accurate")
    bare: Certificate = replace(found.certificate, outcomes=(replace(found.outcome, evidence={}),))
    assert cover(curve(), Certified(found.path, bare, bare.outcomes[0])).covered is None
