"""HIPS autograd, TensorFlow with Keras, and MLX: their own losses are right, and so are a user's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradlab.targets.load import TargetError, load

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
    "mlx": """
import mlx.core as mx

def loss(logits, labels):
    return mx.mean(mx.logsumexp(logits, axis=1) - mx.take_along_axis(logits, labels[:, None], axis=1)[:, 0])
""",
}
OWN = {
    "autograd": ("logsumexp",),
    "tensorflow": ("sparse_softmax_cross_entropy_with_logits", "keras.SparseCategoricalCrossentropy"),
    "mlx": ("cross_entropy",),
}
EXP_OF_FLOAT32 = ("mlx",)  # in float64 too
LOGITS = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
LABELS = np.array([0, 2])

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


TARGETS = [f"{prefix}:{rest}" for prefix, own in OWN.items() for rest in (*own, "losses.py:loss")]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_loss_and_gradient_are_right(target: str, dtype: str, tmp_path: Path) -> None:
    prefix = target.partition(":")[0]
    pytest.importorskip(prefix)
    (tmp_path / "losses.py").write_text(LOSSES[prefix])
    loss, gradient = load(target, {})[0].function(LOGITS.astype(dtype), LABELS)
    wanted = load("shifted", {})[0].function(LOGITS, LABELS)
    tolerance = 8 * float(np.finfo("float32" if prefix in EXP_OF_FLOAT32 else dtype).eps)
    assert (loss.dtype.name, gradient.dtype.name) == (dtype, dtype)
    np.testing.assert_allclose(loss, wanted[0], rtol=tolerance)
    np.testing.assert_allclose(gradient, wanted[1], rtol=tolerance)


@pytest.mark.parametrize("prefix", OWN)
def test_a_target_that_is_not_there(prefix: str) -> None:
    pytest.importorskip(prefix)
    with pytest.raises(
        TargetError, match=rf"{prefix}:nothing must be {', '.join(OWN[prefix])}(, \w+)?, module:callable or file.py:"
    ):
        load(f"{prefix}:nothing", {})


def test_the_jax_idiom_is_right() -> None:
    pytest.importorskip("jax")
    loss, gradient = load("jax:log_softmax", {})[0].function(LOGITS, LABELS)
    wanted = load("shifted", {})[0].function(LOGITS, LABELS)
    np.testing.assert_allclose(loss, wanted[0], rtol=2e-15)
    np.testing.assert_allclose(gradient, wanted[1], rtol=2e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tensorflows_loss_of_probabilities_is_right_where_they_sum_to_1(dtype: str) -> None:
    pytest.importorskip("tensorflow")
    (implementation,) = load("tensorflow:softmax_cross_entropy_with_logits", {})
    targets = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    loss, gradient = implementation.function(LOGITS.astype(dtype), targets.astype(dtype))
    wanted = load("every_option", {})[0].function(LOGITS, targets)
    tolerance = 8 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(loss, wanted[0], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(gradient, wanted[1], rtol=tolerance, atol=tolerance)
    assert implementation.claims.normalised_targets
