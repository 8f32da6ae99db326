"""The command line in this process, on a handful of problems, in an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gradlab.cli import status_of
from gradlab.harness import examination, logits_problems, power
from gradlab.harness.profiles import PROFILES
from gradlab.targets import shipped
from tests.cli.few_problems import problems_for

KNOWN_DEFECTS = ("no_shift", "sign_flipped", "label_in_eight_bits", "smoothing_of_the_others")

SHIFTED = """
import numpy as np

def loss(logits, labels):
    rows = np.arange(len(labels))
    with np.errstate(over="ignore"):
        d = logits - logits.max(axis=1, keepdims=True)
    d[~np.isfinite(logits.max(axis=1))] = np.nan
    e = np.exp(d)
    s = e.sum(axis=1)
    p = e / s[:, None]
    p[rows, labels] -= 1
    return np.mean(np.log(s) - d[rows, labels]), p / len(labels)
"""
UNSHIFTED = """
import numpy as np

def loss(logits, labels):
    rows = np.arange(len(labels))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    losses = -np.log(p[rows, labels])
    p[rows, labels] -= 1
    return losses.mean(), p / len(labels)
"""


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit status, and what it wrote to stdout and stderr."""

    status: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture(autouse=True)
def few_problems(in_an_empty_folder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every profile try a handful of problems and known defects only; the checks are the real ones."""

    monkeypatch.setattr(logits_problems, "problems_for", problems_for)
    monkeypatch.setattr(examination, "asked_in_run", lambda *given: [])  # nothing is asked of sizes
    known = {name: shipped.specimens()[name] for name in KNOWN_DEFECTS}
    monkeypatch.setattr(power, "known_defects", lambda claims: known if claims.layer is None else {})
    for name, profile in list(PROFILES.items()):
        monkeypatch.setitem(PROFILES, name, replace(profile, examples=0, shrinks=0))


@pytest.fixture
def gradlab(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command `gradlab`: gradlab("check", "shifted"), in this process, which has a handful of problems only."""

    def command(*arguments: str) -> Ran:
        capsys.readouterr()
        status = status_of([*arguments, *(["--in-process"] if {"check", "replay"} & {*arguments} else [])])
        captured = capsys.readouterr()
        return Ran(int(status), captured.out, captured.err)

    return command


@pytest.fixture
def files(tmp_path: Path) -> None:
    """good.py, shifted, and bad.py, unshifted: each with a function `loss`."""
    for name, source in {"good": SHIFTED, "bad": UNSHIFTED}.items():
        (tmp_path / f"{name}.py").write_text(source)


@pytest.fixture
def ending_on_bad_labels(in_an_empty_folder: None) -> None:
    """mine.py: a function `loss`, which ends its process where a label is too large."""
    Path("mine.py").write_text(
        "import os\n"
        "from gradlab.implementations.shifted import shifted\n"
        "def loss(logits, labels):\n"
        "    if len(labels) and labels.max() >= logits.shape[1]: os._exit(3)\n"
        "    return shifted(logits, labels)\n"
    )
