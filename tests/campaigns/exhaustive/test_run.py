"""The sweep from Python: a certificate in one call, and what becomes of it in another."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradlab.campaigns.exhaustive.evaluation import FaultError
from gradlab.campaigns.exhaustive.file import read_certificate
from gradlab.campaigns.exhaustive.run import Files, certify, verify_certificate
from gradlab.campaigns.runner import over_pieces

MARGINS = range(0x41000000, 0x41000000 + 950)


@pytest.fixture(autouse=True)
def inside_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_certificate_is_made_and_verified_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    made = certify(["complement"], MARGINS, Files(output=Path("c.json")))
    assert made.is_complete
    assert read_certificate(Path("c.json")) == made
    assert verify_certificate(Path("c.json")).holds
    assert capsys.readouterr() == ("", "")


def test_a_folder_gets_a_certificate_of_each(tmp_path: Path) -> None:
    certify(["complement", "shifted"], MARGINS, Files(output=tmp_path))
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["complement.json", "shifted.json"]


def test_a_false_largest_error_does_not_hold() -> None:
    certify(["complement"], MARGINS, Files(output=Path("c.json")))
    text = Path("c.json").read_text()
    worst = next(line for line in text.splitlines() if '"ulp"' in line)
    Path("c.json").write_text(text.replace(worst, worst.replace("0.", "0.0"), 1))
    assert not verify_certificate(Path("c.json")).holds


def test_what_does_not_answer_has_no_certificate() -> None:
    Path("mine.py").write_text("def loss(logits, labels):\n    raise OSError('no disk')\n")
    with pytest.raises(FaultError, match="no disk"):
        certify(["mine.py:loss"], MARGINS)


@pytest.mark.parametrize("n_processes", [1, 2])
def test_every_piece_is_worked_on_once(n_processes: int) -> None:
    assert sorted(over_pieces(abs, range(-5, 0), n_processes)) == [(piece, -piece) for piece in range(-5, 0)]


@pytest.mark.parametrize("n_processes", [1, 2])
def test_what_work_raises_is_raised(n_processes: int) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(over_pieces(int, ["1", "x"], n_processes))
