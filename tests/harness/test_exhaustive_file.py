"""A certificate as a file: read back as it was, and refused where its pieces do not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradlab.harness import exhaustive_pieces
from gradlab.harness.exhaustive import Keep, complete, fresh, subjects_of
from gradlab.harness.exhaustive_certificate import Certificate, CertificateError
from gradlab.harness.exhaustive_file import encoded, read_certificate
from gradlab.harness.files import strict_json


@pytest.fixture(autouse=True)
def folder(in_an_empty_folder: None) -> None:
    """Nothing is left behind."""


@pytest.fixture
def certificate(monkeypatch: pytest.MonkeyPatch) -> Certificate:
    monkeypatch.setattr(exhaustive_pieces, "_PIECE", 100)
    subjects = subjects_of(["complement"])
    return complete(fresh(subjects, range(0x41000000, 0x41000000 + 950)), subjects, 1, Keep(Path("kept.json")))


def test_it_reads_back_as_it_was(certificate: Certificate) -> None:
    plain = json.loads(strict_json(encoded(certificate)))
    assert plain["schema"] == "gradlab-exhaustive-2"
    assert plain["pieces"] == [["0x41000000", "0x410003b6", 1, 100]]
    assert read_certificate(Path("kept.json")) == certificate
    assert [len(piece) for piece in certificate.pieces] == [*[100] * 9, 50]


def shorter_digests(plain: Any) -> None:
    plain["implementations"][0]["digests"] = plain["implementations"][0]["digests"][:-1]


def other_digits(plain: Any) -> None:
    plain["implementations"][0]["digests"] = "g" + plain["implementations"][0]["digests"][1:]


def fewer_errors(plain: Any) -> None:
    del plain["implementations"][0]["results"][0]["largest"][0]


def fewer_pieces(plain: Any) -> None:
    plain["pieces"] = [["0x41000000", "0x41000100", 1, 100]]


def pieces_of_nothing(plain: Any) -> None:
    plain["pieces"][0][3] = 0


def no_pieces(plain: Any) -> None:
    del plain["pieces"]


def other_schema(plain: Any) -> None:
    plain["schema"] = "gradlab-exhaustive-3"


REASONS = {
    shorter_digests: "digests must be 160 hexadecimal digits",
    other_digits: "digests must be 160 hexadecimal digits",
    fewer_errors: "largest must be 10 numbers",
    fewer_pieces: "pieces must be what is done",
    pieces_of_nothing: "a piece must have margins, got 0",
    no_pieces: "it must have the field 'pieces'",
    other_schema: "schema must be 'gradlab-exhaustive-2' or 'gradlab-exhaustive-1'",
}


@pytest.mark.parametrize(("spoil", "reason"), REASONS.items(), ids=[one.__name__ for one in REASONS])
def test_what_does_not_fit_is_refused(certificate: Certificate, spoil: Callable[[Any], None], reason: str) -> None:
    plain = encoded(certificate)
    spoil(plain)
    Path("c.json").write_text(json.dumps(plain))
    with pytest.raises(CertificateError, match=reason):
        read_certificate(Path("c.json"))
