"""The command line with real workers, on a handful of problems, in an empty folder."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gradlab.cli import status_of

sys.path.insert(0, str(Path(__file__).parent))
few_problems = importlib.import_module("few_problems")
sys.path.pop(0)


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit status, and what it wrote to stdout and stderr."""

    status: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture(autouse=True)
def few(in_an_empty_folder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has runs try a handful of problems and explain nothing, wherever they are made."""
    few_problems.choose_few(monkeypatch)


@pytest.fixture
def gradlab(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command `gradlab`: gradlab("check", "shifted")."""

    def command(*arguments: str) -> Ran:
        capsys.readouterr()
        status = status_of(arguments)
        captured = capsys.readouterr()
        return Ran(int(status), captured.out, captured.err)

    return command


@pytest.fixture
def harmful(gradlab: Command) -> Command:
    """What `gradlab check` says of a function that does some harm first: harmful("os._exit(3)")."""

    def command(harm: str, *arguments: str) -> Ran:
        Path("harmful.py").write_text(few_problems.RIGHT.replace("{harm}", harm))
        return gradlab("check", "harmful.py:loss", "--dtype", "float32", *arguments)

    return command
