"""`layer:liger:fused_linear_cross_entropy`: Liger's fused kernel, which Triton's interpreter runs on a CPU.

Triton reads the environment variable TRITON_INTERPRET when it is imported, and with each kernel that it meets, so it is
set here for as long as that and the calls last. A kernel then runs block by block in NumPy, on the memory of the
tensors: what it reads or writes outside of them, it does there as on a GPU.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
from collections.abc import Iterator
from typing import Any

from gradlab.adapters.differentiation import BackwardPass
from gradlab.adapters.layer_differentiation import LayerArguments, with_gradients_by
from gradlab.adapters.torch_layer import CLAIMS, Loss, loss_and_gradients
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, one_of
from gradlab.targets.importing import TargetError, require

NEEDS = {"torch": "liger"}
NEEDS_TRITON = {"liger_kernel": "liger", "triton": "liger"}  # imported below, where Triton is told to interpret
INTERPRET = "TRITON_INTERPRET"
KERNEL = "liger_kernel.ops.fused_linear_cross_entropy"
WAYS = ("scaled", "accumulated", "detached")


def _fused_linear_cross_entropy(
    X: Any, W: Any, b: Any, targets: Any, reduction: str = "mean", ignore_index: int = -100
) -> Any:
    """The loss of LigerFusedLinearCrossEntropyFunction, of which the first result is the loss."""
    kernel = getattr(importlib.import_module(KERNEL), "LigerFusedLinearCrossEntropyFunction")  # noqa: B009  # untyped
    no_weights, z_loss, smoothing = None, 0.0, 0.0
    return kernel.apply(X, W, targets, b, no_weights, ignore_index, z_loss, smoothing, reduction)


OWN = {"fused_linear_cross_entropy": _fused_linear_cross_entropy}


def resolve(reference: str, target: str) -> Found:
    """What a target `layer:liger:reference` stands for.

    Raises TargetError where that is nothing, and where Triton is there already without its interpreter.
    """
    found = one_of(OWN, reference, target)
    require(target, NEEDS_TRITON)
    _import_interpreted(target)
    claims = {**CLAIMS, "backward": WAYS, "dtypes": ["float32"]}
    return with_gradients_by(_loss_and_gradients, found, claims, inspect.signature(found.function))


def _loss_and_gradients(
    loss: Loss, arguments: LayerArguments, backward: BackwardPass
) -> tuple[Array, tuple[Array, ...]]:
    with _interpreting():
        return loss_and_gradients(loss, arguments, backward)


def _import_interpreted(target: str) -> None:
    """Imports the kernel, and Triton so that it interprets. Raises TargetError where Triton was imported before."""
    with _interpreting():
        importlib.import_module(KERNEL)
        inner = getattr(importlib.import_module("triton.language"), "max")  # noqa: B009  # a kernel of Triton's own
    if type(inner).__name__ != "InterpretedFunction":
        raise TargetError(f"{target}: Triton was imported before {INTERPRET}=1 was set; set it for the whole process")


@contextlib.contextmanager
def _interpreting() -> Iterator[None]:
    before = os.environ.get(INTERPRET)
    os.environ[INTERPRET] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[INTERPRET]
        else:
            os.environ[INTERPRET] = before
