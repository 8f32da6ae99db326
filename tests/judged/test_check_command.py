"""`gradlab check`: the verdict is made where the code under test does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradlab.cli import status_of

CHEAT = """
import sys
import numpy as np

def loss(logits, labels):
    for name, module in list(sys.modules.items()):
        if name.startswith("gradlab") and hasattr(module, "Fact"):
            module.Fact.passed = True
    np.isnan = np.array_equal = lambda *given, **named: True
    return np.float64(0), np.zeros_like(logits)
"""
CRASH = "import os\ndef loss(logits, labels):\n    os._exit(3)\n"


def test_a_wrong_gradient_that_patches_its_process_is_wrong(
    in_an_empty_folder: None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("cheat.py").write_text(CHEAT)
    assert status_of(["check", "cheat.py:loss", "--profile", "smoke", "--dtype", "float32"]) == 1
    assert "loss: wrong" in capsys.readouterr().out


def test_one_that_always_ends_its_process_is_told_and_the_next_is_checked(
    in_an_empty_folder: None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("crash.py").write_text(CRASH)
    command = ["check", "crash.py:loss", "none.py:loss", "shifted", "--profile", "smoke"]
    assert status_of([*command, "--dtype", "float32"]) == 2
    captured = capsys.readouterr()
    assert "cut short: no call has returned, and the last of 5 ended its process with exit status 3" in captured.out
    assert "shifted: stable" in captured.out
    assert "none.py does not exist" in captured.out + captured.err


def test_judged_and_in_process_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["check", "--judged", "--in-process", "shifted"]) == 2
    assert "give --judged or --in-process, not both" in capsys.readouterr().err
