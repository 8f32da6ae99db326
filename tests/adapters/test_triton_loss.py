"""Kernels of Triton, by its interpreter: a sound one, and mistakes that such kernels make."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
# Triton reads what it is told when it is imported, so each of these is in a process of its own.
PROGRAM = """
import sys, numpy as np
from gradlab.targets.load import load
one = load(f"triton:triton_losses.py:{sys.argv[1]}", {})[0]
n_rows, n_classes = int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(1)
logits, labels = rng.normal(0, 3, (n_rows, n_classes)), rng.integers(0, n_classes, n_rows)
p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
rows = np.arange(n_rows)
exact = -np.log(p[rows, labels]).mean()
p[rows, labels] -= 1
try:
    loss, gradient = one.function(logits, labels)
    print(f"{abs(loss - exact):.0e} {np.abs(gradient - p / n_rows).max():.0e}")
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


def said(name: str, n_rows: int, n_classes: int) -> str:
    """The errors of loss and gradient of one of the examples, or what it raises."""
    command = [sys.executable, "-c", PROGRAM, name, str(n_rows), str(n_classes)]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=EXAMPLES).stdout.strip()


@pytest.mark.parametrize(("n_rows", "n_classes"), [(3, 7), (2, 1030)])
def test_a_sound_kernel_is_right_with_and_without_a_remainder(n_rows: int, n_classes: int) -> None:
    errors = [float(one) for one in said("loss", n_rows, n_classes).split()]
    assert len(errors) == 2
    assert max(errors) < 1e-14


def test_reading_behind_the_logits_gives_nan_and_never_what_happens_to_be_there() -> None:
    assert said("no_mask", 1, 7) == "nan nan"


@pytest.mark.parametrize("name", ["other_is_0", "remainder_left_out"])
def test_a_remainder_that_is_done_wrongly_shows(name: str) -> None:
    with np.errstate(all="ignore"):
        errors: Any = np.array(said(name, 3, 7).split(), float)
    assert not (errors < 1e-3).all()


def test_writing_behind_the_logits_is_an_error() -> None:
    assert (
        said("store_without_mask", 2, 7) == "IndexError: wrote 1 entries outside the logits: a store needs a mask there"
    )


def test_a_triton_that_was_imported_before_is_refused_in_one_line() -> None:
    program = "import os; os.environ.pop('TRITON_INTERPRET', None); import triton.language\n" + PROGRAM
    command = [sys.executable, "-c", program, "loss", "2", "3"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=EXAMPLES)
    last = ran.stderr.strip().splitlines()[-1]
    assert "triton was imported here before its kernels could be interpreted: set TRITON_INTERPRET=1" in last
