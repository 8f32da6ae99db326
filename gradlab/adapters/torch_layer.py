"""`layer:torch:cross_entropy`, and any layer written for torch; the gradients come from autograd.

`layer:torch:module:callable` and `layer:torch:file.py:callable` take a function of features, weight, bias and labels,
in its own order, that returns the loss as a tensor, or first of several; the apply of an autograd.Function or the class
itself; and an nn.Module as an instance or as a class without arguments. Labels become int64.

torch's own, each of which takes its weight as (K, D): `cross_entropy` of `linear`, and `linear_cross_entropy` with its
options off, and chunked with each `acc_policy`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from gradlab.adapters.differentiation import BackwardPass
from gradlab.adapters.layer_differentiation import LayerArguments, with_gradients_by
from gradlab.adapters.torch_loss import as_labels, gradients_by, loss_of
from gradlab.adapters.torch_tensors import tensor_of
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for

NEEDS = {"torch": "torch"}
WAYS = ("scaled", "twice", "accumulated", "detached")
ONCE_ALONE = ("scaled", "accumulated", "detached")  # of what refuses a second backward pass
CLAIMS = {
    "takes": ["X", "W", "b", "targets"],
    "weight_layout": "KD",
    "feature_layout": "ND",
    "bias_layout": "K",
    "keeps_dtype": True,
    "reduction": ["mean", "sum"],
    "options": ["ignore_index"],
}

Loss = Callable[..., Any]


def _cross_entropy(X: Any, W: Any, b: Any, targets: Any, **options: Any) -> Any:
    """cross_entropy(linear(X, W, b), targets); options: reduction, and ignore_index."""
    import torch

    return torch.nn.functional.cross_entropy(torch.nn.functional.linear(X, W, b), targets, **options)


def _linear_cross_entropy(X: Any, W: Any, b: Any, targets: Any, acc_policy: str | None = None, **options: Any) -> Any:
    """linear_cross_entropy, chunked where a policy is given; options as before."""
    import torch

    chunks = None if acc_policy is None else torch.nn.LinearCrossEntropyOptions(acc_policy=acc_policy)
    return torch.nn.functional.linear_cross_entropy(X, W, targets, linear_bias=b, options=chunks, **options)


def _signature(X: Any, W: Any, b: Any, targets: Any, *, reduction: str = "mean", ignore_index: int = -100) -> None:
    """How each of them is called here."""


POLICIES = ("auto", "accurate", "compact")
CHUNKED = {f"linear_cross_entropy_{name}": partial(_linear_cross_entropy, acc_policy=name) for name in POLICIES}
OWN: dict[str, Loss] = {
    "cross_entropy": _cross_entropy,
    "linear_cross_entropy": _linear_cross_entropy,
    **CHUNKED,
}


def resolve(reference: str, target: str) -> Found:
    """What a target `layer:torch:reference` stands for. Raises TargetError where that is nothing, or no layer."""
    if reference in OWN:
        ways = ONCE_ALONE if reference in CHUNKED else WAYS
        own = Found(target, OWN[reference], None, target)
        claims = {**CLAIMS, "backward": ways}
        return with_gradients_by(loss_and_gradients, own, claims, inspect.signature(_signature))
    given = callable_for("layer:torch", OWN, reference)
    loss = replace(given, function=loss_of(given.function, target))
    return with_gradients_by(loss_and_gradients, loss, {"backward": WAYS}, _forward_signature(given, loss))


def loss_and_gradients(
    loss: Loss, arguments: LayerArguments, backward: BackwardPass
) -> tuple[Array, tuple[Array, ...]]:
    """The loss and the gradients of its sum, in the dtypes that torch gives them; zeros for a leaf that it ignores."""
    given = arguments.converted(_tensor)
    leaves = [given[key] for key in given.leaves]
    return gradients_by(partial(given.call, loss), leaves, backward)


def _tensor(array: Array) -> Any:
    return tensor_of(as_labels(array))


def _forward_signature(given: Found, loss: Found) -> inspect.Signature | None:
    """The signature of the forward pass of a Function, without the context, or of a Module; None of anything else."""
    import torch

    if isinstance(loss.function, torch.nn.Module):
        return inspect.signature(loss.function.forward)
    owner = given.function if inspect.isclass(given.function) else getattr(given.function, "__self__", None)
    if not (inspect.isclass(owner) and issubclass(owner, torch.autograd.Function)):
        return None
    signature = inspect.signature(getattr(owner, "forward"))  # noqa: B009  # mypy knows nothing of torch
    kept = [one for one in signature.parameters.values() if one.name.strip("_") not in ("ctx", "context")]
    return signature.replace(parameters=kept)
