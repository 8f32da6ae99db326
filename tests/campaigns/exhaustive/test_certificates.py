"""The certificates in docs/exhaustive/: complete, of what ships, and each largest error holds by ball arithmetic.

Whether the machine at hand answers the same is another question: NumPy's exp differs from processor to processor.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradlab.campaigns.exhaustive.certificate import Certificate
from gradlab.campaigns.exhaustive.file import read_certificate
from gradlab.campaigns.exhaustive.sweep import ALL
from gradlab.campaigns.exhaustive.verify import CERTAIN_TO, error_by_oracle, faults_of_pieces
from gradlab.targets.shipped import shipped_targets

WITHOUT_CERTIFICATE = {
    "loop": "it would take hours, and it does what `shifted` does",
    "every_option": "it would take hours, and it does what `shifted` does",
}
FILES = sorted((Path(__file__).parents[3] / "docs/exhaustive").glob("*.json"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def certificate(request: pytest.FixtureRequest) -> Certificate:
    return read_certificate(request.param)


def test_every_implementation_has_one_or_a_reason_why_not() -> None:
    names = {name for name in shipped_targets() if not name.startswith("teaching_")}
    assert {path.stem for path in FILES} == names - WITHOUT_CERTIFICATE.keys()


def test_it_is_complete_and_of_what_ships(certificate: Certificate) -> None:
    assert certificate.is_complete
    assert certificate.margins == ALL
    assert all(outcome.description["target"] in shipped_targets() for outcome in certificate.outcomes)


def test_its_largest_errors_hold(certificate: Certificate) -> None:
    for outcome in certificate.outcomes:
        for quantity, tally in outcome.tallies.items():
            if tally.worst is not None:
                assert error_by_oracle(quantity, tally.worst) == pytest.approx(
                    tally.worst.ulp, abs=CERTAIN_TO, rel=1e-9
                )


def test_its_largest_errors_are_those_of_its_pieces(certificate: Certificate) -> None:
    assert certificate.has_pieces
    for outcome in certificate.outcomes:
        assert [fault for quantity in outcome.tallies for fault in faults_of_pieces(outcome, quantity)] == []
