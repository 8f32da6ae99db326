"""docs/trainer.md: its trainer passes, and the command prints lines of the kind that it shows."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gradlab.cli import status_of

PAGE = (Path(__file__).parents[2] / "docs" / "trainer.md").read_text()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's trainer and some data, as the current one."""
    (source,) = re.findall(r"```python\n# sgd.py\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "sgd.py").write_text(source)
    generator = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", X=generator.normal(size=(30, 4)), y=generator.integers(0, 3, 30))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_its_trainer_passes_and_the_lines_are_of_the_kind_that_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["certify", "trainer:sgd.py:train", "--data", "own.npz", "--steps", "40"]) == 0
    said = capsys.readouterr().out.splitlines()
    (shown,) = re.findall(r"```console\n\$ gradlab certify.*?\n(.*?)```", PAGE, re.DOTALL)
    without_numbers = [[re.sub(r"[-\d.,e]+", "#", line) for line in some] for some in (said, shown.splitlines())]
    assert without_numbers[0] == without_numbers[1]
    assert said[0] == "train: 15 of 15 small trainings are right"


@pytest.mark.usefixtures("folder")
def test_a_wrong_trainer_does_not_meet_it(capsys: pytest.CaptureFixture[str]) -> None:
    body = "    return sgd.train(X, y, W0, b0, lr, steps + 1)\n"
    Path("wrong.py").write_text(f"import sgd\ndef train(X, y, W0, b0, lr, steps):\n{body}")
    assert status_of(["certify", "trainer:wrong.py:train", "--data", "own.npz", "--steps", "4"]) == 1
    assert "looks like more_steps: 1 step more than asked for is taken" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "arguments",
    [
        ["trainer:sgd.py:nothing"],
        ["trainer:absent.py:train"],
        ["trainer:sgd.py:train", "--data", "absent.npz"],
        ["trainer:sgd.py:train", "--data", "own.npz", "--l2", "0.1"],
        ["trainer:sgd.py:train", "--data", "own.npz", "--takes", "X,cheese"],
    ],
)
def test_bad_input_is_refused_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["certify", *arguments]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
