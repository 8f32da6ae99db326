"""A certificate as a file: read back as it was, and refused where its pieces do not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradlab.campaigns.exhaustive import pieces
from gradlab.campaigns.exhaustive.certificate import Certificate, CertificateError
from gradlab.campaigns.exhaustive.file import encode, read_certificate
from gradlab.campaigns.exhaustive.sweep import Keep, complete, fresh, sweep_targets
from gradlab.storage.files import strict_json


@pytest.fixture(autouse=True)
def folder(in_an_empty_folder: None) -> None:
    """Nothing is left behind."""


@pytest.fixture
def certificate(monkeypatch: pytest.MonkeyPatch) -> Certificate:
    monkeypatch.setattr(pieces, "_PIECE", 100)
    targets = sweep_targets(["complement"])
    return complete(fresh(targets, range(0x41000000, 0x41000000 + 950)), targets, 1, Keep(Path("kept.json")))


def test_it_reads_back_as_it_was(certificate: Certificate) -> None:
    plain = json.loads(strict_json(encode(certificate)))
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


def one_endless_piece(plain: Any) -> None:
    plain["pieces"][0][3] = 2**30


def endless_pieces(plain: Any) -> None:
    plain["pieces"] = [["0x00000000", "0x42d00000", 1, 1]]


def a_part_twice(plain: Any) -> None:
    plain["pieces"] *= 2
    plain["done"] *= 2
    for one in plain["implementations"]:
        one["digests"] *= 2
        for result in one["results"]:
            result["largest"] = result["largest"] and result["largest"] * 2


def another_order(plain: Any) -> None:
    plain["implementations"][0].update(reduction="none", order="K")


def a_hash_that_is_none(plain: Any) -> None:
    plain["implementations"][0]["sources"]["_rows.py"] = True


def no_machine(plain: Any) -> None:
    plain["machine"] = {"gradlab": plain["machine"]["gradlab"]}


def worst_of(plain: Any) -> Any:
    return plain["implementations"][0]["results"][1]["worst"]


def an_error_below_0(plain: Any) -> None:
    worst_of(plain)["ulp"] = -1e30


def an_error_that_is_true(plain: Any) -> None:
    plain["implementations"][0]["results"][1]["largest"][0] = True


def a_worst_elsewhere(plain: Any) -> None:
    worst_of(plain).update(bits="0x00000000", margin="0x0.0p+0")


def endless_rows(plain: Any) -> None:
    worst_of(plain)["rows"] = 10**30


def counts_below_0(plain: Any) -> None:
    sizes = plain["implementations"][0]["results"][1]["sizes"]
    sizes[:2] = [sizes[0] + sizes[1] + 5, -5]
    plain["implementations"][0]["results"][1]["correctly_rounded"] = sizes[0]


def more_lines(plain: Any) -> None:
    plain["machine"]["processor"] = "a\nholds: everything"


def another_label(plain: Any) -> None:
    plain["label"] = "exhaustive"


def another_coverage(plain: Any) -> None:
    plain["implementations"][0]["results"][1]["coverage"] = "exhaustive"


def no_pieces(plain: Any) -> None:
    del plain["pieces"]


def other_schema(plain: Any) -> None:
    plain["schema"] = "gradlab-exhaustive-3"


REASONS = {
    shorter_digests: "digests must be 160 hexadecimal digits",
    other_digits: "digests must be 160 hexadecimal digits",
    fewer_errors: "largest must be 10 numbers",
    fewer_pieces: "pieces must be what is done",
    pieces_of_nothing: "a piece must have 1 to 524288 margins, got 0",
    one_endless_piece: "a piece must have 1 to 524288 margins, got 1073741824",
    endless_pieces: "pieces must be at most 131072",
    a_part_twice: "pieces must be what is done",
    another_order: "cannot be asked by 'none', 'K'",
    a_hash_that_is_none: "sources must be texts by name",
    no_machine: "machine must have gradlab, checker, digests, .*, has gradlab",
    an_error_below_0: "an error must be a number of ULP or 'inf', got -1e[+]30",
    an_error_that_is_true: "an error must be a number of ULP or 'inf', got True",
    a_worst_elsewhere: "a largest error must be at a margin that is done, got 0x00000000",
    endless_rows: "a call must be of margins that follow each other and of at most 8192 rows",
    counts_below_0: "sizes must be 34 counts",
    more_lines: "a text must be printable",
    another_label: "label must be sampled, got 'exhaustive'",
    another_coverage: "coverage must be sampled, got 'exhaustive'",
    no_pieces: "it must have the field 'pieces'",
    other_schema: "schema must be 'gradlab-exhaustive-2' or 'gradlab-exhaustive-1'",
}


@pytest.mark.parametrize(("spoil", "reason"), REASONS.items(), ids=[one.__name__ for one in REASONS])
def test_what_does_not_fit_is_refused(certificate: Certificate, spoil: Callable[[Any], None], reason: str) -> None:
    plain = encode(certificate)
    spoil(plain)
    Path("c.json").write_text(json.dumps(plain))
    with pytest.raises(CertificateError, match=reason):
        read_certificate(Path("c.json"))
