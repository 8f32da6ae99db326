"""Prefixes: each adapter is imported when it is asked for, and says which extra it lacks."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import pytest

from gradlab.targets import prefixes
from gradlab.targets.load import TargetError, load
from gradlab.targets.prefixes import PREFIXES

NEEDED = {  # a target, the package that it needs, and the extra that brings it
    "torch:cross_entropy": ("torch", "torch"),
    "jax:optax.softmax_cross_entropy": ("jax", "jax"),
    "sklearn:HalfMultinomialLoss": ("sklearn", "sklearn"),
    "scipy:log_softmax": ("scipy", "scipy"),
    "autograd:logsumexp": ("autograd", "autograd"),
    "tensorflow:sparse_softmax_cross_entropy_with_logits": ("tensorflow", "tensorflow"),
    "mlx:cross_entropy": ("mlx", "mlx"),
}


@pytest.mark.parametrize("target", NEEDED)
def test_a_target_without_its_package_says_which_extra_brings_it(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package, extra = NEEDED[target]
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else real(name))
    with pytest.raises(TargetError) as caught:
        load(target, {})
    assert str(caught.value) == f"{target} needs {package}, which the extra brings: gradlab-verify[{extra}]"


def test_a_package_that_does_not_import_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefixes, "require", lambda name, needs: None)
    monkeypatch.setitem(sys.modules, "scipy", None)  # which makes its import fail
    with pytest.raises(TargetError, match=r"^scipy does not (exist|import): "):
        load("scipy:log_softmax", {})


def test_loading_a_plain_function_imports_no_adapter() -> None:
    program = "import sys; from gradlab.targets.load import load; load('shifted', {}); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "gradlab.targets.prefixes" in loaded
    assert not {*PREFIXES.values(), "torch", "jax", "sklearn", "scipy", "autograd"} & set(loaded)


@pytest.mark.usefixtures("in_an_empty_folder")
def test_a_file_named_like_a_prefix_is_written_as_a_path(tmp_path: Any) -> None:
    (tmp_path / "c.py").write_text("def loss(logits, labels): ...\n")
    assert load("./c.py:loss", {})[0].name == "loss"
