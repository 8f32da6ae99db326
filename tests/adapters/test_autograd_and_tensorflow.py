"""HIPS autograd and TensorFlow: their own losses are right, and so are a user's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradlab.adapters.load import TargetError, load

LOSSES = {
    "autograd": """
import autograd.numpy as np

def loss(logits, labels):
    return np.mean(np.log(np.sum(np.exp(logits), axis=1)) - logits[np.arange(len(labels)), labels])
""",
    "tensorflow": """
import tensorflow as tf

def loss(logits, labels):
    return tf.reduce_mean(-tf.gather(tf.nn.log_softmax(logits), labels, batch_dims=1))
""",
}
OWN = {"autograd": "logsumexp", "tensorflow": "sparse_softmax_cross_entropy_with_logits"}
LOGITS = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
LABELS = np.array([0, 2])

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


@pytest.mark.parametrize("prefix", OWN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("whose", ["own", "a user's"])
def test_loss_and_gradient_are_right(prefix: str, dtype: str, whose: str, tmp_path: Path) -> None:
    pytest.importorskip(prefix)
    (tmp_path / "losses.py").write_text(LOSSES[prefix])
    target = f"{prefix}:{OWN[prefix] if whose == 'own' else 'losses.py:loss'}"
    loss, gradient = load(target, {})[0].function(LOGITS.astype(dtype), LABELS)
    wanted = load("shifted", {})[0].function(LOGITS, LABELS)
    tolerance = 8 * float(np.finfo(dtype).eps)
    assert (loss.dtype.name, gradient.dtype.name) == (dtype, dtype)
    np.testing.assert_allclose(loss, wanted[0], rtol=tolerance)
    np.testing.assert_allclose(gradient, wanted[1], rtol=tolerance)


@pytest.mark.parametrize("prefix", OWN)
def test_a_target_that_is_not_there(prefix: str) -> None:
    pytest.importorskip(prefix)
    with pytest.raises(TargetError, match=f"{prefix}:nothing must be {OWN[prefix]}, module:callable or file.py:"):
        load(f"{prefix}:nothing", {})


def test_the_jax_idiom_is_right() -> None:
    pytest.importorskip("jax")
    loss, gradient = load("jax:log_softmax", {})[0].function(LOGITS, LABELS)
    wanted = load("shifted", {})[0].function(LOGITS, LABELS)
    np.testing.assert_allclose(loss, wanted[0], rtol=2e-15)
    np.testing.assert_allclose(gradient, wanted[1], rtol=2e-15)
