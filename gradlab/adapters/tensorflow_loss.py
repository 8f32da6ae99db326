"""TensorFlow's own loss, Keras's on TensorFlow, and any loss written for TensorFlow; by tf.GradientTape.

`tensorflow:module:callable` and `tensorflow:file.py:callable` take a function (logits, labels) -> loss of tensors;
it runs eagerly. Labels become int64.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.adapters.differentiation import PLAIN_WAYS, BackwardPass, claim_of, with_gradient_by
from gradlab.evaluation.claims import implementation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for, one_of

NEEDS = {"tensorflow": "tensorflow"}
FLUSHES = {"flushes_subnormals": True}  # on a CPU, too

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before it is imported, or it tells of the processor on stderr

Loss = Callable[..., Any]


@implementation(reduction=["mean", "none"], keeps_dtype=True, **FLUSHES)
def sparse_softmax_cross_entropy_with_logits(
    logits: Array, labels: Array, reduction: str = "mean"
) -> tuple[Array, Array]:
    """The loss of tf.nn.sparse_softmax_cross_entropy_with_logits, and its gradient (N, K), in the logits' dtype.

    TensorFlow gives one loss for each row; the adapter takes the mean by tf.reduce_mean.
    """
    import tensorflow as tf

    def loss(x: Any, y: Any) -> Any:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x)
        return losses if reduction == "none" else tf.reduce_mean(losses)

    return loss_and_gradient(loss, logits, labels, BackwardPass())


@implementation(options=["sample_weights"], mean_over="number_of_rows", keeps_dtype=True, **FLUSHES)
def keras_sparse_categorical_crossentropy(
    logits: Array, labels: Array, sample_weights: Array | None = None
) -> tuple[Array, Array]:
    """The loss of keras.losses.SparseCategoricalCrossentropy with from_logits, and its gradient (N, K).

    Its mean divides by the number of rows, whatever they weigh.
    """
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=logits.dtype.name)
    return loss_and_gradient(lambda x, y: loss(y, x, sample_weight=sample_weights), logits, labels, BackwardPass())


@implementation(
    reduction=["mean", "none"], targets="probability", normalised_targets=True, masks=False, keeps_dtype=True, **FLUSHES
)
def softmax_cross_entropy_with_logits(logits: Array, targets: Array, reduction: str = "mean") -> tuple[Array, Array]:
    """The loss of tf.nn.softmax_cross_entropy_with_logits, and its gradient (N, K), in the logits' dtype.

    Not claimed, since it does not hold: targets of any sum (the gradient is p - t all the same, and not that of the
    loss); masks (-inf at a class of probability 0 makes the loss NaN).
    """
    import tensorflow as tf

    def loss(x: Any, t: Any) -> Any:
        losses = tf.nn.softmax_cross_entropy_with_logits(labels=t, logits=x)
        return losses if reduction == "none" else tf.reduce_mean(losses)

    return loss_and_gradient(loss, logits, targets, BackwardPass())


OWN: dict[str, Loss] = {
    "sparse_softmax_cross_entropy_with_logits": sparse_softmax_cross_entropy_with_logits,
    "keras.SparseCategoricalCrossentropy": keras_sparse_categorical_crossentropy,
    "softmax_cross_entropy_with_logits": softmax_cross_entropy_with_logits,
}


def resolve(reference: str, target: str) -> Found:
    """What a target `tensorflow:reference` stands for. Raises TargetError where that is nothing."""
    if reference in OWN:
        return one_of(OWN, reference, target)
    return with_gradient_by(
        loss_and_gradient, callable_for("tensorflow", OWN, reference), FLUSHES | claim_of(PLAIN_WAYS)
    )


def loss_and_gradient(loss: Loss, logits: Array, targets: Array, backward: BackwardPass) -> tuple[Array, Array]:
    """The loss and the gradient (N, K) of its sum, in the dtypes that TensorFlow gives them.

    Raises whatever TensorFlow raises.
    """
    import tensorflow as tf

    x = tf.constant(logits)
    y = tf.constant(targets.astype(np.int64) if targets.dtype.kind in "iu" else targets)
    with tf.GradientTape(persistent=backward.way == "twice") as tape:
        tape.watch(x)
        value = loss(x, y)
    above = tf.ones_like(value) if backward.upstream is None else tf.cast(backward.upstream, value.dtype)
    above = tf.broadcast_to(above, tf.shape(value))
    gradient = PLAIN_WAYS[backward.known(PLAIN_WAYS)](lambda: tape.gradient(value, x, output_gradients=above))
    return np.asarray(value), np.asarray(gradient)
