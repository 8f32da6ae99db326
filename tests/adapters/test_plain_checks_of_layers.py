"""What a plain `gradlab check` finds of layers of libraries. Skipped where the library is not there."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest


def checked(target: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the command says of a target in one dtype, each implementation in a process of its own as usual."""
    command = (sys.executable, "-m", "gradlab", "check", target, "--profile", "quick", "--dtype", "float32")
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=1800)


@pytest.mark.more
def test_gradients_of_a_batch_of_ignored_rows_are_found_in_chunks_of_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not hasattr(torch.nn, "LinearCrossEntropyOptions"):
        pytest.skip("this torch has no chunked linear_cross_entropy")
    ran = checked("layer:torch:linear_cross_entropy_auto", tmp_path)
    assert ran.returncode == 1, ran.stderr
    assert "layer:torch:linear_cross_entropy_auto: wrong" in ran.stdout
    assert "looks like: nothing_divided_by_nothing" in ran.stdout
    assert "FAIL ignored_batch_has_no_gradient" in ran.stdout


@pytest.mark.slow
def test_a_label_outside_is_found_in_the_fused_kernel_of_liger(tmp_path: Path) -> None:
    """It reads and writes the next row's logits, or memory that is not its own; gradlab goes on to its end."""
    if importlib.util.find_spec("liger_kernel") is None or importlib.util.find_spec("triton") is None:
        pytest.skip("Liger is not installed")
    ran = checked("layer:liger:fused_linear_cross_entropy", tmp_path)
    assert ran.returncode == 1, ran.stderr
    assert "layer:liger:fused_linear_cross_entropy: wrong" in ran.stdout
    assert "FAIL a_label_outside_reaches_no_other_row" in ran.stdout
