"""`gradlab exhaustive`: a sample of the margins, going on, and certificates."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gradlab.campaigns.exhaustive import pieces, spot_check

SAMPLE = ("--sample", str(2**21))


def test_a_sample_says_that_it_is_one(gradlab: Any) -> None:
    ran = gradlab("exhaustive", "complement", *SAMPLE)
    assert ran.status == 0
    assert ran.out.startswith("sampled, 535 margins, begins\n")
    assert "complement  sampled: 535 float32 margins" in ran.out
    assert "exhaustive" not in ran.out
    assert "loss, label at the maximum: " in ran.out


def test_a_walk_that_is_done_is_told_again(gradlab: Any) -> None:
    first, second = (gradlab("exhaustive", "complement", *SAMPLE) for _ in range(2))
    assert "goes on with what" in second.out
    assert second.out.split("\n", 1)[1] == first.out.split("\n", 1)[1]


def test_a_certificate_holds_until_it_is_tampered_with(gradlab: Any) -> None:
    assert gradlab("exhaustive", "shifted", *SAMPLE, "--output", "c.json").status == 0
    ran = gradlab("exhaustive", "--verify", "c.json")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.count("\nholds: shifted, ") == 8 + 1
    plain = json.loads(Path("c.json").read_text())
    plain["implementations"][0]["results"][1]["worst"]["ulp"] /= 2
    Path("c.json").write_text(json.dumps(plain))
    ran = gradlab("exhaustive", "--verify", "c.json")
    assert ran.status == 1
    assert ran.out.count("DOES NOT HOLD: shifted, target, label at the maximum") == 1
    assert "the oracle says " in ran.out


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_PIECE", 2**4)
    monkeypatch.setattr(spot_check, "MARGINS", 2**6)


@pytest.mark.usefixtures("small_pieces")
def test_random_pieces_are_walked_again_and_the_odds_are_told(gradlab: Any) -> None:
    gradlab("exhaustive", "complement", *SAMPLE, "--output", "c.json")
    ran = gradlab("exhaustive", "--verify", "c.json")
    assert ran.status == 0
    assert "\nholds: complement, pieces run again" in ran.out
    assert "\n5 of 34 digests compared: a certificate with one false piece would have passed" in ran.out
    assert " probability of 85.29%, one with a tenth of its pieces false with 51.214%; --all compares" in ran.out
    (seed,) = re.findall(r"run again; --seed (\d+) draws the same", ran.out)
    spot_check = gradlab("exhaustive", "--verify", "c.json", "--seed", seed)
    assert spot_check.out == f"{ran.out}the probabilities are those of a seed that was not known when the" + (
        " certificate was made\n"
    )
    assert gradlab("exhaustive", "--verify", "c.json").out != ran.out
    every = gradlab("exhaustive", "--verify", "c.json", "--all")
    assert "\nall 34 pieces run again\n" in every.out
    assert every.out.endswith("\nevery digest was compared: no false piece can have been passed over\n")


@pytest.mark.usefixtures("small_pieces")
def test_a_piece_that_is_false_does_not_hold(gradlab: Any) -> None:
    gradlab("exhaustive", "complement", *SAMPLE, "--output", "c.json")
    plain = json.loads(Path("c.json").read_text())
    plain["implementations"][0]["digests"] = "0" * 16 * 34
    Path("c.json").write_text(json.dumps(plain))
    ran = gradlab("exhaustive", "--verify", "c.json")
    assert ran.status == 1
    assert ran.out.count("\nDOES NOT HOLD: complement, pieces run again\n") == 1
    assert ran.out.count(f", the certificate holds {'0' * 16}\n") == 5
    plain["machine"]["processor"] = "another"
    Path("c.json").write_text(json.dumps(plain))
    ran = gradlab("exhaustive", "--verify", "c.json")
    assert ran.status == 0
    assert "\nnot comparable: complement, 5 of the pieces run again: no error is larger than the " in ran.out
    assert ran.out.endswith("\nno digest is the certificate's: nothing shows that its pieces are not false\n")


def test_a_certificate_without_pieces_is_said_to_hold_none(gradlab: Any) -> None:
    gradlab("exhaustive", "complement", *SAMPLE, "--output", "c.json")
    plain = json.loads(Path("c.json").read_text())
    plain["schema"] = "gradlab-exhaustive-1"
    Path("c.json").write_text(json.dumps(plain))
    ran = gradlab("exhaustive", "--verify", "c.json")
    assert ran.status == 0
    assert "it holds no pieces: only its largest errors and what is run again now are verified\n" in ran.out
    assert ran.out.endswith(
        "no larger error: complement, in the pieces run again; the certificate does not hold any pieces\n"
    )


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("target", "several.py", "several.py must be one implementation, is 2"),
        ("reduction", "sum", "complement does not claim the reduction sum"),
    ],
)
def test_a_certificate_of_what_cannot_be_asked_is_refused_in_one_line(
    gradlab: Any, field: str, value: str, reason: str
) -> None:
    lines = (
        "__all__ = ['one', 'other']",
        "from gradlab.implementations.complement import complement as one",
        "other = one",
    )
    Path("several.py").write_text("\n".join(lines))
    gradlab("exhaustive", "complement", *SAMPLE, "--output", "c.json")
    plain = json.loads(Path("c.json").read_text())
    plain["implementations"][0][field] = value
    Path("c.json").write_text(json.dumps(plain))
    ran = gradlab("exhaustive", "--verify", "c.json")
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert reason in ran.err


def test_a_folder_gets_one_certificate_each(gradlab: Any) -> None:
    Path("certificates").mkdir()
    assert gradlab("exhaustive", "complement", "every_option", *SAMPLE, "--output", "certificates").status == 0
    assert gradlab("exhaustive", "complement", *SAMPLE, "--output", "alone.json").status == 0
    assert sorted(path.name for path in Path("certificates").iterdir()) == ["complement.json", "every_option.json"]
    assert Path("certificates/complement.json").read_text() == Path("alone.json").read_text()


def test_a_target_that_raises_ends_with_the_margins_at_which_it_did(gradlab: Any) -> None:
    Path("raises.py").write_text("def loss(logits, labels):\n    raise ArithmeticError('no')\n")
    ran = gradlab("exhaustive", "raises.py:loss", *SAMPLE)
    assert ran.status == 1
    assert ran.err.startswith("gradlab: loss does not answer (margins with the bits 0x")
    assert "raised ArithmeticError: no (raises.py, line 2)" in ran.err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "give one TARGET or more, or --verify CERTIFICATE"),
        (["shifted", "--verify", "c.json"], "give one TARGET or more, or --verify CERTIFICATE"),
        (["shifted", "--all"], "--all and --seed are for --verify"),
        (["--verify", "c.json", "--all", "--seed", "1"], "there is nothing to choose with --seed"),
        (["--verify", "missing.json"], "missing.json cannot be read"),
        (["nothing"], "nothing is no file"),
        (["shifted", "--output", "no/c.json"], "there is no folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(gradlab: Any, arguments: list[str], reason: str) -> None:
    ran = gradlab("exhaustive", *arguments)
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert reason in ran.err
