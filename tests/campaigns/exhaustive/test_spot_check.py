"""A certificate that says less than the truth: what its pieces show, and sweeping some of them again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.campaigns.exhaustive import pieces, spot_check
from gradlab.campaigns.exhaustive.certificate import Certificate, Outcome
from gradlab.campaigns.exhaustive.file import encode, read_certificate
from gradlab.campaigns.exhaustive.pieces import Evidence, evidence_of, round_up, sweep_piece
from gradlab.campaigns.exhaustive.spot_check import Again, Choice, choose, odds, sweep_again
from gradlab.campaigns.exhaustive.sweep import Keep, complete, fresh, sweep_targets
from gradlab.campaigns.exhaustive.tally import QUANTITIES, Quantity, Tallies, Tally, sizes_of
from gradlab.campaigns.exhaustive.truth import END
from gradlab.campaigns.exhaustive.verify import verify_errors
from gradlab.storage.files import strict_json

HARMLESS = range(0x30000000, 0x30400000, 2**16)  # 64 margins, of the sample too
MARGINS = range(0, END, 2**16)


@pytest.fixture(autouse=True)
def folder(in_an_empty_folder: None) -> None:
    """Nothing is left behind."""


@pytest.fixture(autouse=True, scope="module")
def small_pieces() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_PIECE", 2**8)
        patch.setattr(spot_check, "MARGINS", 2**10)
        yield


@pytest.fixture(scope="module")
def certificate(small_pieces: None, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Of shifted, whose answers are means, and of every_option, which gives each loss: a sample in 67 pieces."""
    targets = sweep_targets(["shifted", "every_option"])
    return complete(fresh(targets, MARGINS), targets, 1, Keep(tmp_path_factory.mktemp("kept") / "c"))


def again(certificate: Certificate, seed: int | None = None) -> list[Again]:
    return sweep_again(certificate, choose(certificate, seed), 1, lambda done, total: None)


def faults(certificate: Certificate) -> list[str]:
    """Without sweeping anything again."""
    return [fault for finding in verify_errors(certificate) for fault in finding.faults]


def with_harmless_worst(certificate: Certificate) -> Certificate:
    """The worst of each quantity replaced by that of harmless margins, and the counts adapted to it."""
    targets = sweep_targets([one.description["target"] for one in certificate.outcomes])
    found = sweep_piece(targets, HARMLESS)
    outcomes = tuple(
        replace(one, tallies=_adapted(one.tallies, new.tallies))
        for one, new in zip(certificate.outcomes, found, strict=True)
    )
    return replace(certificate, outcomes=outcomes)


def _adapted(tallies: Tallies, harmless: Tallies) -> Tallies:
    made = {}
    for quantity in QUANTITIES:
        worst = harmless[quantity].worst
        sizes = np.zeros(34, dtype=int) if worst is None else np.array(sizes_of(np.array([worst.ulp])))
        made[quantity] = Tally(tuple(map(int, sizes * tallies[quantity].count)), worst)
    return made


def with_pieces_adapted(certificate: Certificate) -> Certificate:
    """The largest error of every piece lowered to that of the whole, too."""
    return replace(certificate, outcomes=tuple(map(_lowered, certificate.outcomes)))


def _lowered(outcome: Outcome) -> Outcome:
    most = [outcome.tallies[quantity].worst for quantity in QUANTITIES]
    claims = [None if worst is None else round_up(worst.ulp) for worst in most]
    evidence = {
        piece: Evidence(one.digest, tuple(map(_least, one.largest, claims))) for piece, one in outcome.evidence.items()
    }
    return replace(outcome, evidence=evidence)


def _least(largest: float | None, claim: float | None) -> float | None:
    return None if largest is None or claim is None else min(largest, claim)


def elsewhere(certificate: Certificate) -> Certificate:
    return replace(certificate, machine={**certificate.machine, "processor": "another"})


def with_other_digests(certificate: Certificate, every: int) -> Certificate:
    outcomes = []
    for one in certificate.outcomes:
        held = enumerate(one.evidence.items())
        changed = {piece: replace(of, digest="0" * 16) if place % every == 0 else of for place, (piece, of) in held}
        outcomes.append(replace(one, evidence=changed))
    return replace(certificate, outcomes=tuple(outcomes))


def test_what_is_true_is_found_again(certificate: Certificate) -> None:
    for seed in (None, 1, 2):
        for one in again(certificate, seed):
            assert (one.faults, one.n_other, one.here) == ([], 0, ())
            assert one.n_same == (67 if seed is None else 5)  # of 256 margins, or fewer: 1024 in all


def test_a_piece_walked_alone_gives_the_digest_and_the_errors_that_are_kept(certificate: Certificate) -> None:
    targets = sweep_targets(["every_option"])
    for piece in certificate.pieces[::10]:
        (alone,) = sweep_piece(targets, piece)
        assert evidence_of(alone) == certificate.outcomes[1].evidence[piece]


def test_harmless_margins_in_place_of_the_worst_do_not_hold(certificate: Certificate) -> None:
    false = with_harmless_worst(certificate)
    assert faults(certificate) == []
    said = faults(false)
    assert len([one for one in said if one.startswith("the largest error of all pieces is")]) >= 12


def test_pieces_that_are_adapted_too_are_found_by_walking_them_again(certificate: Certificate) -> None:
    false = with_pieces_adapted(with_harmless_worst(certificate))
    assert not [one for one in faults(false) if one.startswith("the largest error of all pieces is")]
    for one in again(false):
        assert [fault for fault in one.faults if "the certificate holds" in fault]
        assert [fault for fault in one.faults if "are counted otherwise" in fault]


def test_on_another_machine_they_are_found_by_errors_that_are_larger_than_the_certificate_says(
    certificate: Certificate,
) -> None:
    false = elsewhere(with_other_digests(with_pieces_adapted(with_harmless_worst(certificate)), 1))
    for one in again(false):
        assert [fault for fault in one.faults if "more than the certificate's" in fault]


def test_a_digest_that_differs_does_not_hold_where_nothing_else_does(certificate: Certificate) -> None:
    for one in again(with_other_digests(certificate, 10)):
        assert len(one.faults) == 7
        assert all("the digest of its answers is " in fault for fault in one.faults)


def test_a_digest_that_differs_on_another_machine_is_not_compared(certificate: Certificate) -> None:
    for one in again(elsewhere(with_other_digests(certificate, 10))):
        assert (one.faults, one.n_same, one.n_other) == ([], 60, 7)
        assert one.here[0].endswith(", was another")


def test_wrong_counts_are_found_where_all_is_walked(certificate: Certificate) -> None:
    shifted, other = certificate.outcomes
    tally = shifted.tallies[Quantity(0, "others")]
    sizes = (tally.sizes[0] + 1, tally.sizes[1] - 1, *tally.sizes[2:])
    false = replace(shifted, tallies={**shifted.tallies, Quantity(0, "others"): replace(tally, sizes=sizes)})
    (one, _) = again(replace(certificate, outcomes=(false, other)))
    assert one.faults == ["the errors of the others, label at the maximum, are counted otherwise"]


def test_the_same_seed_draws_the_same_pieces_and_another_one_others(certificate: Certificate) -> None:
    assert choose(certificate, 5) == choose(certificate, 5)
    assert choose(certificate, 5).pieces != choose(certificate, 6).pieces
    drawn = {piece for seed in range(200) for piece in choose(certificate, seed).pieces}
    assert drawn == set(certificate.pieces)


def test_the_odds_are_those_of_drawing() -> None:
    pieces = tuple(range(i, i + 1) for i in range(10))
    choice, draws = Choice(pieces[:3], 10, 0), list(combinations(range(10), 3))
    for n_false in (1, 2, 8):
        unseen = sum(min(draw) >= n_false for draw in draws)
        assert choice.chance_missed(n_false, 3) == pytest.approx(unseen / len(draws))
    assert odds(choice, [Again("", (), n_same=3), Again("", (), n_same=2)])[0] == 2


def test_a_certificate_without_pieces_is_read_and_its_claims_are_walked(certificate: Certificate) -> None:
    for one, holds in ((certificate, True), (with_harmless_worst(certificate), False)):
        Path("c.json").write_text(json.dumps(without_pieces(one)))
        old = read_certificate(Path("c.json"))
        assert (old.has_pieces, old.pieces, old.is_complete) == (False, (), True)
        found = again(old)
        assert [one.n_same for one in found] == [0, 0]
        assert [not one.faults for one in found] == [holds, holds]


def without_pieces(certificate: Certificate) -> Any:
    """As schema 1 had it."""
    plain = json.loads(strict_json(encode(certificate)))
    plain["schema"] = "gradlab-exhaustive-1"
    del plain["pieces"]
    for one in plain["implementations"]:
        del one["digests"], one["packages"], one["files"]
        for result in one["results"]:
            del result["largest"]
    return plain


@pytest.mark.parametrize("ulp", [0.0, 2.0**-60, 0.1, 0.5, 2.865068, 9.999, 10.0, 16777140.005822537, float("inf")])
def test_errors_are_rounded_up_in_order(ulp: float) -> None:
    assert ulp <= round_up(ulp) <= max(ulp * 1.01, ulp + 0.01)
    assert round_up(np.nextafter(ulp, np.inf)) >= round_up(ulp)
