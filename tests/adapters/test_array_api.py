"""The array API: a function of the standard alone gets arrays of the namespace that was asked for."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.adapters.array_api import NAMESPACES
from gradlab.targets.load import TargetError, load

STANDARD = """
from array_api_compat import array_namespace

CLAIMS = {"weighted": {"options": ["class_weights"]}, "loss": {}, "beyond_the_standard": {}, "one": {}}
seen = []

def loss(logits, labels):
    xp = array_namespace(logits, labels)
    seen.append(xp.__name__)
    log_p = logits - xp.max(logits, axis=1, keepdims=True)
    log_p = log_p - xp.log(xp.sum(xp.exp(log_p), axis=1, keepdims=True))
    one_hot = xp.astype(xp.arange(logits.shape[1], dtype=labels.dtype)[None, :] == labels[:, None], logits.dtype)
    return -xp.sum(log_p * one_hot) / logits.shape[0], (xp.exp(log_p) - one_hot) / logits.shape[0]

def weighted(logits, labels, class_weights=None):
    xp = array_namespace(logits, class_weights)
    return xp.sum(class_weights), logits

def beyond_the_standard(logits, labels):
    return logits.mean(), logits

def one(logits, labels):
    return logits
"""
LOGITS = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
LABELS = np.array([0, 2])

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


@pytest.fixture(autouse=True)
def _standard(in_an_empty_folder: Any, tmp_path: Path) -> None:
    pytest.importorskip("array_api_compat")
    (tmp_path / "s.py").write_text(STANDARD)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMESPACES)
def test_loss_and_gradient_are_right_in_the_dtype_of_the_logits(name: str, dtype: str) -> None:
    pytest.importorskip(name)
    (implementation,) = load(f"array-api:{name}:s.py:loss", {})
    loss, gradient = implementation.function(LOGITS.astype(dtype), LABELS)
    wanted = load("shifted", {})[0].function(LOGITS, LABELS)
    tolerance = 8 * float(np.finfo(dtype).eps)
    assert (loss.dtype.name, gradient.dtype.name) == (dtype, dtype)
    assert (type(gradient), loss.shape) == (np.ndarray, ())
    np.testing.assert_allclose(loss, wanted[0], rtol=tolerance)
    np.testing.assert_allclose(gradient, wanted[1], rtol=tolerance, atol=tolerance)
    asked = vars(implementation.function)["__wrapped__"].__globals__["seen"]
    assert asked[-1].rpartition(".")[2] in (name, "numpy")


@pytest.mark.parametrize("name", NAMESPACES)
def test_weights_are_arrays_of_the_namespace_too(name: str) -> None:
    pytest.importorskip(name)
    function = load(f"array-api:{name}:s.py:weighted", {})[0].function
    assert float(function(LOGITS, LABELS, class_weights=np.array([1.0, 2.0, 4.0]))[0]) == 7


def test_what_is_not_in_the_standard_is_not_in_its_strict_namespace() -> None:
    pytest.importorskip("array_api_strict")
    load("array-api:numpy:s.py:beyond_the_standard", {})[0].function(LOGITS, LABELS)
    with pytest.raises(AttributeError, match="mean"):
        load("array-api:array_api_strict:s.py:beyond_the_standard", {})[0].function(LOGITS, LABELS)


def test_what_returns_no_pair_is_told() -> None:
    with pytest.raises(TypeError, match=r"a function must return \(loss, gradient\)"):
        load("array-api:numpy:s.py:one", {})[0].function(LOGITS, LABELS)


def test_jax_flushes_subnormals_and_that_is_claimed() -> None:
    pytest.importorskip("jax")
    assert load("array-api:jax:s.py:loss", {})[0].claims.flushes_subnormals


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("array-api:cupy:s.py:loss", "must be numpy, torch, jax, array_api_strict after array-api:, and then file.py:"),
        (
            "array-api:numpy:loss",
            "array-api:numpy:loss must be module:callable or file.py:callable after array-api:n",
        ),
        ("array-api:numpy:s.py:nothing", "has no 'nothing'"),
    ],
)
def test_a_target_that_is_not_there(target: str, said: str) -> None:
    with pytest.raises(TargetError) as caught:
        load(target, {})
    assert said in str(caught.value)


@pytest.mark.parametrize(("package", "extra"), [("array_api_compat", "array-api"), ("jax", "jax")])
def test_what_is_not_installed_is_named_with_its_extra(
    package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else real(name))
    with pytest.raises(TargetError) as caught:
        load("array-api:jax:s.py:loss", {})
    assert str(caught.value).endswith(f"needs {package}, which the extra brings: gradlab-verify[{extra}]")
