"""`torch:cross_entropy`, and any loss written for torch; the gradient comes from autograd.

`torch:module:callable` and `torch:file.py:callable` take a function (logits, labels) -> loss of tensors, the apply of
an autograd.Function or the class itself, and an nn.Module, as an instance or as a class without arguments.
The logits' tensor shares the array's memory and strides where torch can, so that a loss that writes to its input, or
takes it to be contiguous, is seen; labels become int64, the only integers that torch takes.

`torch@cuda:...` computes on that device; see `torch_device.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from gradlab.adapters.compiled_code import COMPILED_WAYS, is_compiled, keep_compiled
from gradlab.adapters.differentiation import ONCE, BackwardPass, with_backward_keywords, with_gradient_by
from gradlab.adapters.torch_device import TorchDevice, torch_device
from gradlab.adapters.torch_tensors import array_of, tensor_of
from gradlab.evaluation.claims import implementation
from gradlab.evaluation.foreign import describe_error
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for, one_of
from gradlab.targets.importing import TargetError

NEEDS = {"torch": "torch"}

Loss = Callable[..., Any]
HERE = TorchDevice()


@implementation(
    reduction=["mean", "none", "sum"],
    options=["class_weights"],  # the two others break; what they do is in the docstring
    dtypes=["float32", "float64"],
    keeps_dtype=True,
    empty_batch=True,
    backward=["scaled", "twice", "accumulated", "detached", "double"],
    double_backward=True,
)
def cross_entropy(
    logits: Array,
    targets: Array,
    *,  # one keyword per option: that makes more than four arguments
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    class_weights: Array | None = None,
    ignore_index: int = -100,
    upstream: Array | None = None,
    backward: str = ONCE,
    vector: Array | None = None,
) -> tuple[Array, Array]:
    """The loss of torch.nn.functional.cross_entropy, and its gradient (N, K), both in the dtype of the logits.

    logits (N, K); targets: labels (N,), or probabilities (N, K).
    Not claimed, since it does not hold: refusing bad labels (-100 is ignored in silence, torch's default); ignore_index
    (an ignored row whose logits hold NaN, or only -inf, gets a gradient of NaN and not 0); label_smoothing (the sum of
    a row's log-probabilities overflows where its share of the loss does not: logits [3e38, 0, 0, 0, 0] in float32).
    `--option ignore_index` asks for one all the same.
    """
    import torch

    def loss(x: Any, y: Any) -> Any:
        options = {"label_smoothing": label_smoothing, "ignore_index": ignore_index, "reduction": reduction}
        weight = None if class_weights is None else tensor_of(class_weights)
        return torch.nn.functional.cross_entropy(x, y, weight=weight, **options)

    return loss_and_gradient(loss, logits, targets, BackwardPass(upstream, backward, vector))


OWN = {"cross_entropy": cross_entropy}


def resolve(reference: str, target: str) -> Found:
    """What a target `torch:reference` stands for. Raises TargetError where that is nothing, or no loss."""
    if reference in OWN:
        return with_backward_keywords(one_of(OWN, reference, target))
    return differentiated(callable_for("torch", OWN, reference), target, HERE)


def resolve_on(device: str, reference: str, target: str) -> Found:
    """The same of `torch@device:reference`; torch's own loss is written as a function of tensors there, too."""
    import torch

    there = torch_device(device, target)
    if reference in OWN:
        own = Found(target, torch.nn.functional.cross_entropy, None, target)
        return differentiated(own, target, there)
    return differentiated(callable_for("torch", OWN, reference), target, there)


def differentiated(given: Found, target: str, device: TorchDevice) -> Found:
    """A loss of tensors in the place where it was found, differentiated by torch on a device."""
    loss = loss_of(given.function, target)
    keep_compiled()
    ways = COMPILED_WAYS if is_compiled(loss) else tuple(way for way in _WAYS if way != ONCE)
    claims = {"backward": ways, **device.claims}
    framework = partial(loss_and_gradient, device=device)
    return counted(
        with_gradient_by(framework, replace(given, function=loss, target=target), claims, device.put), device
    )


def counted(found: Found, device: TorchDevice) -> Found:
    """What was found, with the device's own count of memory where it has one."""
    if device.counts_memory:
        found.function.most_held = device.most_held
    return found


def loss_and_gradient(
    loss: Loss, logits: Array, targets: Array, backward: BackwardPass, device: TorchDevice = HERE
) -> tuple[Array, Array]:
    """The loss and the gradient (N, K) of its sum, in the dtypes that torch gives them; raises as `gradients_by`."""

    def differentiate(x: Any) -> tuple[Array, tuple[Array, ...]]:
        labels = device.put(as_labels(targets))
        return gradients_by(lambda x: loss(x, labels), [x], backward, device)

    value, (gradient,) = device.call(differentiate, logits)
    return value, gradient


def as_labels(targets: Array) -> Array:
    """Targets with labels as int64."""
    return targets.astype(np.int64, copy=False) if targets.dtype.kind in "iu" else targets


def gradients_by(
    loss: Loss, leaves: Sequence[Any], backward: BackwardPass, device: TorchDevice = HERE
) -> tuple[Array, tuple[Array, ...]]:
    """The loss of some tensors, and the gradients of its sum by them; zeros for one that it does not depend on.

    Raises TypeError where the loss is no tensor, and whatever torch raises.
    """
    import torch

    inputs = [leaf.requires_grad_() for leaf in leaves]
    value = loss(*inputs)
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"the loss must be a tensor, got {type(value).__name__}")
    above = torch.ones_like(value)
    if backward.upstream is not None:
        above = device.put(backward.upstream).to(value.dtype).expand_as(value)  # one number for all has strides of 0
    vector = None if backward.vector is None else device.put(backward.vector)
    return _WAYS[backward.known(_WAYS)](_Graph(loss, inputs, value, above), vector)


@dataclass(frozen=True, eq=False)
class _Graph:
    """One forward pass: the loss of its inputs, the inputs, its value, and the upstream gradient."""

    loss: Callable[..., Any]
    inputs: Sequence[Any]
    value: Any
    upstream: Any

    def gradients(self, **keywords: Any) -> tuple[Any, ...]:
        """The gradients with respect to the inputs."""
        import torch

        several = {"allow_unused": True, "materialize_grads": True} if len(self.inputs) > 1 else {}
        found: tuple[Any, ...] = torch.autograd.grad(self.value, self.inputs, self.upstream, **several, **keywords)
        return found


Gradients = tuple[Array, ...]


def _once(graph: _Graph, vector: Any) -> tuple[Array, Gradients]:
    return array_of(graph.value), tuple(map(array_of, graph.gradients()))


def _twice(graph: _Graph, vector: Any) -> tuple[Array, Gradients]:
    graph.gradients(retain_graph=True)
    return _once(graph, vector)


def _accumulated(graph: _Graph, vector: Any) -> tuple[Array, Gradients]:
    graph.value.backward(graph.upstream)
    graph.loss(*graph.inputs).backward(graph.upstream)
    return array_of(graph.value), tuple(array_of(one.grad) for one in graph.inputs)


def _detached(graph: _Graph, vector: Any) -> tuple[Array, Gradients]:
    return array_of(graph.loss(*(one.detach() for one in graph.inputs))), _once(graph, vector)[1]


def _double(graph: _Graph, vector: Any) -> tuple[Array, Gradients]:
    """Raises ValueError where there is no vector."""
    import torch

    if vector is None:
        raise ValueError("a double backward pass must be given a vector")
    (first,) = graph.gradients(create_graph=True)
    (second,) = torch.autograd.grad((first * vector).sum(), graph.inputs)
    return array_of(graph.value), (array_of(second),)


_WAYS = {
    ONCE: _once,
    "scaled": _once,
    "twice": _twice,
    "accumulated": _accumulated,
    "detached": _detached,
    "double": _double,
}


def loss_of(given: Any, target: str) -> Any:
    """The callable on tensors that something found stands for: itself, the apply of a Function, an instance."""
    import torch

    if not inspect.isclass(given):
        return given
    if issubclass(given, torch.autograd.Function):
        return getattr(given, "apply")  # noqa: B009  # mypy knows nothing of torch's classes
    try:
        return given()
    except Exception as error:
        raise TargetError(f"{target} must be a class without arguments: {describe_error(error)}") from error
