"""docs/teaching-codes.md: gradlab names the faults that it says, and the mended code passes at all three levels."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gradlab.cli import status_of

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "teaching-codes.md").read_text()
COMMANDS = dict(re.findall(r"^\$ gradlab (.*)\n(.*)$", PAGE, re.MULTILINE))
WRONG = [command for command in COMMANDS if "specimens" in command or "teaching" in command]
MENDED = [command for command in COMMANDS if "examples" in command and "certify" not in command]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commands are given at the top of a checkout."""
    monkeypatch.chdir(ROOT)


def test_there_are_four_codes_at_two_levels_and_one_that_is_mended_at_three() -> None:
    assert (len(WRONG), len(MENDED), len(COMMANDS)) == (8, 2, 11)


@pytest.mark.more
@pytest.mark.parametrize("command", WRONG)
def test_the_faults_are_named_as_the_page_says(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of([*command.split(), "--profile", "quick", "--in-process", "--cases", str(tmp_path)]) == 1
    assert COMMANDS[command] in capsys.readouterr().out


@pytest.mark.parametrize("command", MENDED)
def test_the_mended_code_passes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of([*command.split(), "--profile", "smoke", "--in-process"]) == 0
    assert COMMANDS[command] in capsys.readouterr().out


def test_the_mended_code_passes_as_a_trainer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generator = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", X=generator.normal(size=(30, 4)), y=generator.integers(0, 3, 30))
    (command,) = [one for one in COMMANDS if "certify" in one]
    assert status_of([*command.split(), "--data", str(tmp_path / "own.npz"), "--steps", "20"]) == 0
    assert COMMANDS[command] in capsys.readouterr().out
