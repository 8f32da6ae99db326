"""`jax:optax.softmax_cross_entropy_with_integer_labels`, and any loss written for JAX; the gradient comes from jax.vjp.

`jax:log_softmax` is the usual way to write it by hand.

`jax:module:callable` and `jax:file.py:callable` take a function (logits, labels) -> loss of JAX arrays; loss and
gradient are computed under `jax.jit`, and custom_vjp is honoured. Options are constants of the compiled
function. Float64 is enabled for logits in float64 and for no others, so that float32 meets the types that it meets in
everyday use; labels become int32, which is JAX's integer there.

`jax@gpu:...`, or another platform of jax.devices, `jax@gpu:1:...` too, puts the arrays there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np

from gradlab.adapters.device_end import end_with_device
from gradlab.adapters.differentiation import ONCE, BackwardPass, claim_of, with_backward_keywords
from gradlab.evaluation.claims import implementation
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for, standing_for
from gradlab.targets.importing import TargetError, import_name, require

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
    return _resolved(reference, target, None)


def resolve_on(device: str, reference: str, target: str) -> Found:
    """The same of `jax@device:reference`."""
    return _resolved(reference, target, jax_device(device, target))


def _resolved(reference: str, target: str, device: Any) -> Found:
    if reference in OWN:
        return _own(reference, target, device)
    given = replace(callable_for("jax", OWN, reference), target=target)
    compiled = cache(partial(_compile, given.function))  # of the constants, and whether it goes back twice

    def call(
        logits: Array,
        targets: Array,
        *,  # what is asked of the backward pass, apart from the loss's own options
        upstream: Array | None = None,
        backward: str = ONCE,
        vector: Array | None = None,
        **options: Any,
    ) -> tuple[Array, Array]:
        arrays = {name: one for name, one in options.items() if isinstance(one, np.ndarray)}
        constants = tuple((name, one) for name, one in options.items() if name not in arrays)
        asked = BackwardPass(upstream, backward, vector)
        return loss_and_gradient(partial(compiled, constants), Arguments(logits, targets, arrays, device), asked)

    return with_backward_keywords(standing_for(given, call, XLA | claim_of(WAYS)))


def _own(reference: str, target: str, device: Any) -> Found:
    """A loss of each row, from a library unless it is the idiom below; the adapter takes the mean."""
    package, _, name = reference.rpartition(".")
    require(target, {package: "jax"} if package else {})
    losses = getattr(import_name(package), name) if package else _log_softmax
    reduced = {"none": losses, "mean": lambda x, y: losses(x, y).mean()}
    compiled = cache(lambda reduction, double: _compile(reduced[reduction], (), double))

    @implementation(reduction=["mean", "none"], keeps_dtype=True, **XLA, **OWN[reference], **claim_of(WAYS))
    def call(
        logits: Array,
        targets: Array,
        reduction: str = "mean",
        *,
        upstream: Array | None = None,
        backward: str = ONCE,
        vector: Array | None = None,
    ) -> tuple[Array, Array]:
        asked = BackwardPass(upstream, backward, vector)
        return loss_and_gradient(partial(compiled, reduction), Arguments(logits, targets, {}, device), asked)

    return with_backward_keywords(Found(target, call, None, target))


def _log_softmax(logits: Any, labels: Any) -> Any:
    """-log_softmax(x)_y of each row."""
    import jax

    return -jax.numpy.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)[:, 0]


@dataclass(frozen=True, eq=False)
class Arguments:
    """What a loss is called with; options: the arrays among them. device: of JAX, or None for its default."""

    logits: Array
    targets: Array
    options: dict[str, Array]
    device: Any = None


def loss_and_gradient(
    compiled: Callable[[bool], Loss], arguments: Arguments, backward: BackwardPass
) -> tuple[Array, Array]:
    """The loss and the gradient (N, K) of its sum, in the dtypes that JAX gives them.

    compiled: the compiled function, by whether it goes back twice. Raises whatever JAX raises.
    """
    import jax

    logits, targets = arguments.logits, arguments.targets
    targets = targets.astype(np.int32) if targets.dtype.kind in "iu" else targets
    upstream = np.ones((), logits.dtype) if backward.upstream is None else backward.upstream
    with jax.enable_x64(logits.dtype == np.float64):
        function = compiled(backward.known(WAYS) == "double")
        given = (logits, targets, arguments.options, upstream, backward.vector)
        if arguments.device is not None:
            given = jax.device_put(given, arguments.device)
        loss, gradient = _computed(function, given, arguments.device)
    return np.asarray(loss), np.asarray(gradient)


def _computed(function: Loss, given: Sequence[Any], device: Any) -> Any:
    """What a compiled function returns, once it is there. Ends the process as `end_with_device` does."""
    import jax

    try:
        return jax.block_until_ready(function(*given))
    except Exception as error:
        if device is not None and not _is_usable(device):
            end_with_device(f"{device}", error)
        raise


def _is_usable(device: Any) -> bool:
    """Whether something can be computed there."""
    import jax

    try:
        return float(jax.device_put(np.ones(2, np.float32), device).sum()) == 2
    except Exception:
        return False


def jax_device(name: str, target: str) -> Any:
    """The device of a platform's name, and a number or the first. Raises TargetError where JAX finds none."""
    import jax

    kind, _, number = name.partition(":")
    try:
        found = jax.devices(kind)
    except RuntimeError:
        raise TargetError(f"{target}: jax {jax.__version__} finds no device {kind!r} on this machine") from None
    if int(number or 0) >= len(found):
        raise TargetError(f"{target}: there are {len(found)} devices {kind!r}, the first has number 0, got {number}")
    return found[int(number or 0)]


def _compile(loss: Loss, constants: tuple[tuple[str, Any], ...], double: bool) -> Loss:
    """A jitted function (logits, targets, arrays, upstream, vector) -> (loss, gradient); other options are built in."""
    import jax

    def both(logits: Any, targets: Any, arrays: dict[str, Any], upstream: Any, vector: Any) -> tuple[Any, Any]:
        def pulled_back(x: Any) -> tuple[Any, Any]:
            value, pull = jax.vjp(lambda x: loss(x, targets, **dict(constants), **arrays), x)
            above = jax.numpy.broadcast_to(upstream.astype(value.dtype), value.shape)
            return value, pull(above)[0]

        value, gradient = pulled_back(logits)
        if not double:
            return value, gradient
        return value, jax.vjp(lambda x: pulled_back(x)[1], logits)[1](vector.astype(gradient.dtype))[0]

    return jax.jit(both)  # type: ignore[no-any-return]  # JAX is not there to be checked against


WAYS = {ONCE: None, "scaled": None, "double": None}  # its graph is a function, which twice gives the same
