"""What is forbidden does not import in a judged process, and is a finding where it is loaded all the same."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from gradlab.cli import status_of
from gradlab.judged.forbidden import NoFinder, is_of, mapped
from tests.judged.conftest import SOURCE

LOSS = "\n{top}\ndef loss(logits, labels):\n    {body}\n    return right(logits, labels)\n"
UNDONE = "import sys; sys.meta_path[:] = [one for one in sys.meta_path if 'forbid' not in type(one).__module__]"


def said_of(
    capsys: pytest.CaptureFixture[str], top: str = "", body: str = "pass", forbidden: str = "wave,sndhdr"
) -> str:
    """The status of a check of such code, and what is printed."""
    Path("mine.py").write_text(SOURCE + LOSS.format(top=top, body=body))
    command = ["check", "mine.py:loss", "--profile", "smoke", "--dtype", "float32", "--forbid", forbidden]
    status = status_of(command)
    captured = capsys.readouterr()
    return f"{status} {captured.out}{captured.err}"


@pytest.mark.usefixtures("in_an_empty_folder")
def test_code_that_uses_nothing_of_it_is_judged_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    said = said_of(capsys, top="try:\n    import wave\nexcept ImportError:\n    import math as wave")
    assert said.startswith("0 ")
    assert "loss: stable" in said


@pytest.mark.usefixtures("in_an_empty_folder")
def test_code_that_imports_it_does_not_load(capsys: pytest.CaptureFixture[str]) -> None:
    assert "wave is forbidden here, by --forbid" in said_of(capsys, top="import wave")


@pytest.mark.usefixtures("in_an_empty_folder")
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("import wave", "wave is forbidden here, by --forbid"),
        (f"{UNDONE}; import wave", "wave is loaded, which is forbidden"),
    ],
)
def test_a_call_that_imports_it_is_a_finding(capsys: pytest.CaptureFixture[str], body: str, told: str) -> None:
    said = said_of(capsys, body=body)
    assert said.startswith("1 ")
    assert told in said


def test_compiled_code_of_a_package_is_seen_from_outside() -> None:
    assert mapped(os.getpid(), ["numpy", "torch", "num"]) == ["numpy is in its memory, which is forbidden"]
    assert np.__name__ in sys.modules


def test_a_package_has_its_modules_and_no_namesakes() -> None:
    assert is_of("torch", ["torch"])
    assert is_of("torch.nn", ["jax", "torch"])
    assert not is_of("torchvision", ["torch"])
    assert NoFinder(["torch"]).find_spec("torchvision") is None
    with pytest.raises(ImportError, match=r"torch\.nn is forbidden"):
        NoFinder(["torch"]).find_spec("torch.nn")


def test_it_does_not_go_with_a_run_in_this_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["check", "shifted", "--forbid", "torch", "--in-process"]) == 2
    assert "give --forbid or --in-process, not both" in capsys.readouterr().err
