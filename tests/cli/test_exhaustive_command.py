"""`gradlab exhaustive`: a sample of the margins, going on, and certificates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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
        (["--verify", "missing.json"], "missing.json cannot be read"),
        (["nothing"], "nothing is no file"),
        (["shifted", "--output", "no/c.json"], "there is no folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(gradlab: Any, arguments: list[str], reason: str) -> None:
    ran = gradlab("exhaustive", *arguments)
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert reason in ran.err
