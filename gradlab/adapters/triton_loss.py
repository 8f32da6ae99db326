"""`triton:file.py:loss`: a loss of torch tensors that runs kernels of Triton, interpreted on a CPU.

It takes (logits, labels) and returns the loss, which torch differentiates, or (loss, gradient). Which of them a call
on four rows shows, when it is loaded. Triton's interpreter, TRITON_INTERPRET=1, runs each program of a kernel by NumPy,
one after the other: masks, offsets, remainders of blocks and arithmetic are as written; what depends on threads,
on the compiler or on the machine is not seen. `triton@cuda:...` has the kernels compiled and run there.

The logits lie between entries that are no part of them: reading those gives NaN, and writing there is an error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.adapters.torch_device import TorchDevice, torch_device
from gradlab.adapters.torch_loss import as_labels, counted, differentiated, loss_of
from gradlab.adapters.torch_tensors import pair_of_arrays
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for, standing_for
from gradlab.targets.importing import TargetError, import_name, require

NEEDS = {"torch": "torch"}
INTERPRETED = "TRITON_INTERPRET"  # read where triton is imported, for its own functions, and at each kernel


def resolve(reference: str, target: str) -> Found:
    """What a target `triton:reference` stands for. Raises TargetError where that is nothing."""
    return resolve_on("cpu", reference, target)


def resolve_on(device: str, reference: str, target: str) -> Found:
    """The same on a device. Raises TargetError where Triton was loaded before it could be told to interpret, too."""
    require(target, {"triton": "triton"})
    there = torch_device(device, target)
    if there.kind == "cpu":
        _interpret(target)
    import_name("triton")
    given = callable_for("triton", (), reference)
    loss = loss_of(given.function, target)
    if not _returns_a_pair(loss, there):
        return differentiated(given, target, there)
    call = _with_pair(loss, there)
    standing = standing_for(replace(given, function=loss, target=target), call, there.claims)
    return counted(standing, there)


def _interpret(target: str) -> None:
    """Has kernels be interpreted in this process. Raises TargetError where Triton's own are compiled already."""
    os.environ[INTERPRETED] = "1"
    library = sys.modules.get("triton.language")
    if library is not None and not _is_interpreted(library.sum):
        raise TargetError(
            f"{target}: triton was imported here before its kernels could be interpreted:"
            f" set {INTERPRETED}=1, or have gradlab run it in a process of its own"
        )


def _is_interpreted(kernel: Any) -> bool:
    return "Interpreted" in type(kernel).__name__


def _returns_a_pair(loss: Callable[..., Any], device: TorchDevice) -> bool:
    """Whether a call returns (loss, gradient); not where it raises, which calls that are judged will show."""
    logits, labels = np.zeros((4, 8), np.float32), np.zeros(4, np.int64)
    with suppress(Exception):
        return device.call(lambda x: isinstance(loss(x, device.put(labels)), tuple | list), logits)
    return False


def _with_pair(loss: Callable[..., Any], device: TorchDevice) -> Callable[..., Any]:
    """A function of arrays that returns what the loss returns of tensors, as arrays."""

    def call(logits: Array, targets: Array, **options: Any) -> tuple[Array, Array]:
        given = {name: device.put(one) if isinstance(one, np.ndarray) else one for name, one in options.items()}
        return device.call(lambda x: pair_of_arrays(loss(x, device.put(as_labels(targets)), **given)), logits)

    return call
