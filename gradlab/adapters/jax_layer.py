"""`layer:jax:log_softmax`, and any layer written for JAX; the gradients come from jax.vjp.

`layer:jax:jax_cce.linear_cross_entropy` is that of the package jax-cce: over chunks of classes, and without a bias. It
works in float32 whatever it is given, so no other dtype is claimed for it.

`layer:jax:module:callable` and `layer:jax:file.py:callable` take a function of features, weight, bias and labels, in
its own order, that returns the loss, or first of several. Loss and gradients are computed under `jax.jit`, and
custom_vjp is honoured; numbers, such as the strength of a penalty, are constants of the compiled function. Float64 is
enabled for features in float64 and for no others; labels become int32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from gradlab.adapters.differentiation import BackwardPass
from gradlab.adapters.jax_loss import XLA
from gradlab.adapters.layer_differentiation import Key, LayerArguments, with_gradients_by
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for
from gradlab.targets.importing import import_name, require

NEEDS = {"jax": "jax"}
CLAIMS = {**XLA, "feature_layout": "ND", "bias_layout": "K", "keeps_dtype": True}
WAYS = ("once", "scaled")

Loss = Callable[..., Any]


def _log_softmax(X: Any, W: Any, b: Any, targets: Any) -> Any:
    """The mean of -log_softmax(X W + b)_y."""
    import jax

    log_p = jax.nn.log_softmax(X @ W + b)
    return -jax.numpy.take_along_axis(log_p, targets[:, None], axis=1).mean()


# What is claimed for each layer of its own, besides CLAIMS.
OWN: dict[str, dict[str, Any]] = {
    "log_softmax": {"takes": ["X", "W", "b", "targets"], "weight_layout": "DK"},
    "jax_cce.linear_cross_entropy": {"takes": ["X", "W", "targets"], "weight_layout": "KD", "dtypes": ["float32"]},
}


def resolve(reference: str, target: str) -> Found:
    """What a target `layer:jax:reference` stands for. Raises TargetError where that is nothing, or not installed."""
    if reference in OWN:
        given, defaults = Found(target, _own(reference, target), None, target), {**CLAIMS, **OWN[reference]}
    else:
        given, defaults = callable_for("layer:jax", OWN, reference), {**XLA}
    compiled = cache(partial(_compile, given.function))

    def gradients_by(loss: Loss, arguments: LayerArguments, backward: BackwardPass) -> tuple[Array, tuple[Array, ...]]:
        return loss_and_gradients(compiled, arguments, backward)

    return with_gradients_by(gradients_by, given, {**defaults, "backward": WAYS[1:]})


def _own(reference: str, target: str) -> Loss:
    """A layer from a package, unless it is the idiom above."""
    package, _, name = reference.rpartition(".")
    require(target, {package: package.replace("_", "-")} if package else {})
    loss: Loss = getattr(import_name(package), name) if package else _log_softmax
    return loss


def loss_and_gradients(
    compiled: Callable[[Form], Loss], arguments: LayerArguments, backward: BackwardPass
) -> tuple[Array, tuple[Array, ...]]:
    """The loss and the gradients of its sum, in the dtypes that JAX gives them. Raises whatever JAX raises."""
    import jax

    backward.known(dict.fromkeys(WAYS))
    given = arguments.converted(_with_small_integers)
    arrays = tuple(one for one in _values(given) if isinstance(one, np.ndarray))
    constants = tuple(None if isinstance(one, np.ndarray) else one for one in _values(given))
    dtype = given[given.leaves[0]].dtype
    upstream = np.ones((), dtype) if backward.upstream is None else backward.upstream
    with jax.enable_x64(dtype == np.float64):
        function = compiled(Form(constants, tuple(given.by_keyword), given.leaves))
        value, gradients = function(arrays, upstream)
    return np.asarray(value), tuple(map(np.asarray, gradients))


@dataclass(frozen=True)
class Form:
    """What a compiled function is compiled for.

    constants: all arguments, those by keyword last, None for an array. keywords: the names of those.
    """

    constants: tuple[Any, ...]
    keywords: tuple[str, ...]
    leaves: tuple[Key, ...]

    def arguments(self, arrays: Sequence[Any]) -> LayerArguments:
        """The arguments with these arrays in their places."""
        left = iter(arrays)
        values = [next(left) if one is None else one for one in self.constants]
        n_in_order = len(values) - len(self.keywords)
        by_keyword = dict(zip(self.keywords, values[n_in_order:], strict=True))
        return LayerArguments(tuple(values[:n_in_order]), by_keyword, self.leaves)


def _compile(loss: Loss, form: Form) -> Loss:
    """A jitted function (arrays, upstream) -> (loss, gradients)."""
    import jax

    def both(arrays: Sequence[Any], upstream: Any) -> tuple[Any, tuple[Any, ...]]:
        given = form.arguments(arrays)
        value, pull = jax.vjp(partial(given.call, loss), *(given[key] for key in form.leaves))
        return value, pull(jax.numpy.broadcast_to(upstream.astype(value.dtype), value.shape))

    return jax.jit(both)  # type: ignore[no-any-return]  # JAX is not there to be checked against


def _values(arguments: LayerArguments) -> tuple[Any, ...]:
    return (*arguments.in_order, *arguments.by_keyword.values())


def _with_small_integers(array: Array) -> Array:
    return array.astype(np.int32) if array.dtype.kind in "iu" else array
