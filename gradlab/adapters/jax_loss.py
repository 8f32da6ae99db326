"""`jax:optax.softmax_cross_entropy_with_integer_labels`, and any loss written for JAX; the gradient comes from jax.vjp.

`jax:log_softmax` is the usual way to write it by hand.

`jax:module:callable` and `jax:file.py:callable` take a function (logits, labels) -> loss of JAX arrays; loss and
gradient are computed under `jax.jit`, and custom_vjp is honoured. Options are constants of the compiled
function. Float64 is enabled for logits in float64 and for no others, so that float32 meets the types that it meets in
everyday use; labels become int32, which is JAX's integer there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from gradlab.evaluation.claims import implementation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for, standing_for
from gradlab.targets.importing import import_name, require

NEEDS = {"jax": "jax"}
XLA = {"flushes_subnormals": True}  # on a CPU, too

Loss = Callable[..., Any]

# Losses of others, one for each row: the name, and what is claimed for it besides XLA's.
OWN: dict[str, dict[str, Any]] = {
    "optax.softmax_cross_entropy_with_integer_labels": {"targets": "index"},
    "optax.softmax_cross_entropy": {"targets": "probability"},
    "optax.safe_softmax_cross_entropy": {"targets": "probability"},
    "log_softmax": {"targets": "index"},
}


def resolve(reference: str, target: str) -> Found:
    """What a target `jax:reference` stands for. Raises TargetError where that is nothing."""
    if reference in OWN:
        return _own(reference, target)
    given = callable_for("jax", OWN, reference)
    compiled = cache(partial(_compile, given.function))

    def call(logits: Array, targets: Array, **options: Any) -> tuple[Array, Array]:
        arrays = {name: one for name, one in options.items() if isinstance(one, np.ndarray)}
        constants = tuple((name, one) for name, one in options.items() if name not in arrays)
        return loss_and_gradient(compiled(constants), logits, targets, arrays)

    return standing_for(given, call, XLA)


def _own(reference: str, target: str) -> Found:
    """A loss of each row, from a library unless it is the idiom below; the adapter takes the mean."""
    package, _, name = reference.rpartition(".")
    require(target, {package: "jax"} if package else {})
    losses = getattr(import_name(package), name) if package else _log_softmax
    both = {"none": _compile(losses, ()), "mean": _compile(lambda x, y: losses(x, y).mean(), ())}

    @implementation(reduction=["mean", "none"], keeps_dtype=True, **XLA, **OWN[reference])
    def call(logits: Array, targets: Array, reduction: str = "mean") -> tuple[Array, Array]:
        return loss_and_gradient(both[reduction], logits, targets, {})

    return Found(target, call, None, target)


def _log_softmax(logits: Any, labels: Any) -> Any:
    """-log_softmax(x)_y of each row."""
    import jax

    return -jax.numpy.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)[:, 0]


def loss_and_gradient(compiled: Loss, logits: Array, targets: Array, options: dict[str, Array]) -> tuple[Array, Array]:
    """The loss and the gradient (N, K) of its sum, in the dtypes that JAX gives them.

    options: the arrays among them. Raises whatever JAX raises.
    """
    import jax

    targets = targets.astype(np.int32) if targets.dtype.kind in "iu" else targets
    with jax.enable_x64(logits.dtype == np.float64):
        loss, gradient = compiled(logits, targets, options)
    return np.asarray(loss), np.asarray(gradient)


def _compile(loss: Loss, constants: tuple[tuple[str, Any], ...]) -> Loss:
    """A jitted function (logits, targets, arrays) -> (loss, gradient), with the options that are no arrays built in."""
    import jax

    def both(logits: Any, targets: Any, arrays: dict[str, Any]) -> tuple[Any, Any]:
        value, pulled_back = jax.vjp(lambda x: loss(x, targets, **dict(constants), **arrays), logits)
        return value, pulled_back(jax.numpy.ones_like(value))[0]

    return jax.jit(both)  # type: ignore[no-any-return]  # JAX is not there to be checked against
