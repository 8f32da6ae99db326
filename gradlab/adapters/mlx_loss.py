"""`mlx:cross_entropy`, and any loss written for MLX; the gradient comes from mlx.core.value_and_grad, on the CPU.

`mlx:module:callable` and `mlx:file.py:callable` take a function (logits, labels) -> loss of MLX arrays, a scalar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.adapters.differentiation import ONCE, BackwardPass, claim_of, with_gradient_by
from gradlab.evaluation.claims import implementation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for, one_of

NEEDS = {"mlx": "mlx"}
FLUSHES = {"flushes_subnormals": True}
WAYS = {ONCE: None, "scaled": None}  # there is no graph to keep

Loss = Callable[..., Any]


@implementation(reduction=["mean", "sum"], keeps_dtype=True, **FLUSHES)
def cross_entropy(
    logits: Array, labels: Array, reduction: str = "mean", label_smoothing: float = 0.0
) -> tuple[Array, Array]:
    """The loss of mlx.nn.losses.cross_entropy, and its gradient (N, K), in the logits' dtype.

    Does not claim label_smoothing: MLX refuses that of 1. Its exp in float64 is right to 24 bits only.
    """
    from mlx.nn.losses import cross_entropy

    def loss(x: Any, y: Any) -> Any:
        return cross_entropy(x, y, reduction=reduction, label_smoothing=label_smoothing)

    return loss_and_gradient(loss, logits, labels, BackwardPass())


OWN = {"cross_entropy": cross_entropy}


def resolve(reference: str, target: str) -> Found:
    """What a target `mlx:reference` stands for. Raises TargetError where that is nothing."""
    if reference in OWN:
        return one_of(OWN, reference, target)
    return with_gradient_by(loss_and_gradient, callable_for("mlx", OWN, reference), FLUSHES | claim_of(WAYS))


def loss_and_gradient(loss: Loss, logits: Array, targets: Array, backward: BackwardPass) -> tuple[Array, Array]:
    """The loss and its gradient (N, K), in the dtypes that MLX gives them. Raises whatever MLX raises."""
    import mlx.core as mx

    backward.known(WAYS)
    x, y = (_array(array) for array in (logits, targets))
    with mx.stream(mx.cpu):  # where there is float64
        value, gradient = mx.value_and_grad(lambda x: loss(x, y) * backward.factor)(x)
        mx.eval(value, gradient)
    return np.asarray(value) / np.asarray(value).dtype.type(backward.factor), np.asarray(gradient)


def _array(array: Array) -> Any:
    """As MLX's, from a fresh copy: it refuses strides below 0. Without a dtype it would make float32 of float64."""
    import mlx.core as mx

    return mx.array(np.array(array, order="C"), dtype=getattr(mx, array.dtype.name))
