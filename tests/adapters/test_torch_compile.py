"""Losses that torch.compile has compiled: every shape, and no plain code in their place."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.adapters import torch_compile
from gradlab.targets.load import TargetError, load

torch = pytest.importorskip("torch")
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
COUNTED = """
import torch
from torch._dynamo import testing

counter = testing.CompileCounter()

def plain(logits, labels):
    return torch.nn.functional.cross_entropy(logits, labels)

compiled = torch.compile(plain, backend=counter, dynamic=False)
"""


def _loaded(target: str, folder: Path = EXAMPLES) -> Any:
    with contextlib.chdir(folder):
        return load(target, {})[0]


@pytest.mark.parametrize(
    "target", ["torch-compile:aot_eager:compiled_losses.py:loss", "torch:compiled_losses.py:compiled"]
)
def test_a_compiled_loss_is_right_for_one_shape_after_another(target: str) -> None:
    one, plain = _loaded(target), _loaded("torch:compiled_losses.py:loss")
    rng = np.random.default_rng(1)
    for n_rows, n_classes in ((4, 6), (1, 1), (3, 2), (5, 9)):
        logits, labels = rng.normal(0, 3, (n_rows, n_classes)), rng.integers(0, n_classes, n_rows)
        for own, other in zip(one.function(logits, labels), plain.function(logits, labels), strict=True):
            np.testing.assert_allclose(own, other, rtol=1e-13, atol=1e-15)


def test_it_claims_no_second_backward_pass() -> None:
    assert _loaded("torch-compile:eager:compiled_losses.py:loss").claims.backward == (
        "scaled",
        "accumulated",
        "detached",
    )
    assert _loaded("torch:compiled_losses.py:compiled").claims.backward == ("scaled", "accumulated", "detached")


def test_twenty_shapes_are_compiled_and_none_runs_the_plain_code(tmp_path: Path) -> None:
    (tmp_path / "counted.py").write_text(COUNTED)
    one = _loaded("torch:counted.py:compiled", tmp_path)
    counter = next(module for name, module in sys.modules.items() if name.endswith("_counted")).counter
    for n_classes in range(2, 22):
        one.function(np.zeros((2, n_classes)), np.array([0, 1]))
    assert counter.frame_count == 20


@pytest.mark.skipif(not any(shutil.which(one) for one in torch_compile.COMPILERS), reason="there is no C++ compiler")
def test_inductor_compiles_a_kernel() -> None:
    one, plain = _loaded("torch-compile:compiled_losses.py:loss"), _loaded("torch:compiled_losses.py:loss")
    logits, labels = np.random.default_rng(1).normal(0, 3, (4, 6)), np.array([0, 5, 2, 2])
    for own, other in zip(one.function(logits, labels), plain.function(logits, labels), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-13, atol=1e-15)


def test_without_a_compiler_it_says_what_to_install_and_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(
        TargetError, match=r"needs a C\+\+ compiler, g\+\+ or .*torch-compile:aot_eager:a.py:loss needs"
    ):
        _loaded("torch-compile:a.py:loss")
