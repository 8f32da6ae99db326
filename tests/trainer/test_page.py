"""docs/trainer.md: its trainer passes, and the command prints lines of the kind that it shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

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
    features = generator.normal(size=(30, 4)) * [1, 1, 1, 0]  # with a feature of zeros, as digits has: no optimum
    np.savez(tmp_path / "own.npz", X=features, y=generator.integers(0, 3, 30))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_its_trainer_passes_and_the_lines_are_of_the_kind_that_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["certify", "trainer:sgd.py:train", "--data", "own.npz", "--steps", "40"]) == 0
    said = capsys.readouterr().out.splitlines()
    shown, *_ = re.findall(r"```console\n\$ gradlab certify.*?\n(.*?)```", PAGE, re.DOTALL)
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


@pytest.fixture
def certificate(folder: Path) -> Path:
    """A certificate of a training with a penalty of none."""
    path = folder / "certificate.json"
    arguments = ["certify", "trainer:sgd.py:train", "--data", "own.npz", "--steps", "20", "--output", str(path)]
    assert status_of(arguments) == 0
    return path


def test_a_certificate_holds(certificate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["certify", "--verify", str(certificate)]) == 0
    assert "it holds" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_a_certificate_from_a_start_that_is_not_zero_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a class that starts from small random weights."""
    target = f"trainer:{Path(__file__).with_name('trainers.py')}:Regression"
    assert status_of(["certify", target, "--data", "own.npz", "--steps", "5", "--output", "own.json"]) == 0
    assert status_of(["certify", "--verify", "own.json"]) == 0
    assert "it holds" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["at_most", "least_loss", "most_loss"])
def test_a_certificate_that_states_too_much_does_not_hold(certificate: Path, name: str) -> None:
    document = json.loads(certificate.read_text())
    value = float.fromhex(document["stated"][name])
    document["stated"][name] = (value * (1.01 if name == "least_loss" else 0.99)).hex()
    certificate.write_text(json.dumps(document))
    assert status_of(["certify", "--verify", str(certificate)]) == 1


def test_a_certificate_of_other_weights_does_not_hold(certificate: Path) -> None:
    document = json.loads(certificate.read_text())
    document["parameters"][0][0] = (float.fromhex(document["parameters"][0][0]) + 1e-3).hex()
    certificate.write_text(json.dumps(document))
    assert status_of(["certify", "--verify", str(certificate)]) == 1


def test_a_certificate_of_other_data_does_not_hold(certificate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generator = np.random.default_rng(1)
    np.savez("own.npz", X=generator.normal(size=(30, 4)), y=generator.integers(0, 3, 30))
    assert status_of(["certify", "--verify", str(certificate)]) == 1
    assert "the data are not those of the certificate" in capsys.readouterr().out


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_certificate_is_refused_in_one_line_or_does_not_hold(
    certificate: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(seed)
    text = certificate.read_text()
    document = json.loads(text)
    name = list(document)[seed % len(document)]
    wrong: list[Any] = [None, [], {}, "x", -1, 1e400, [[]], {"a": 1}]
    document[name] = wrong[int(generator.integers(len(wrong)))]
    certificate.write_text(json.dumps(document) if seed % 3 else text[: int(generator.integers(len(text)))])
    capsys.readouterr()
    status = status_of(["certify", "--verify", str(certificate)])
    assert status in (0, 1, 2)
    assert len(capsys.readouterr().err.strip().splitlines()) <= 1
