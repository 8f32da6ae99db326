"""`torch-compile:file.py:loss`: any loss written for torch, compiled by torch.compile, and its gradient by autograd.

`torch-compile:BACKEND:file.py:loss` chooses the backend: `inductor`, which it is otherwise and which needs a C++
compiler on a CPU; `aot_eager`, which traces both passes and runs torch's own operations; `eager`, which traces the
forward pass alone. Compiled with dynamic shapes: some ten kernels serve all problems of a dtype. What a file has
compiled itself, with shapes as it likes, is a target `torch:file.py:loss`.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

from gradlab.adapters.compiled_code import compile_in_this_process
from gradlab.adapters.torch_device import TorchDevice, torch_device
from gradlab.adapters.torch_loss import HERE, differentiated, loss_of
from gradlab.targets.callables import Found, callable_for
from gradlab.targets.importing import TargetError

NEEDS = {"torch": "torch"}
INDUCTOR = "inductor"
BACKENDS = (INDUCTOR, "aot_eager", "eager")
COMPILERS = ("g++", "clang++", "c++")


def resolve(reference: str, target: str) -> Found:
    """What a target `torch-compile:reference` stands for. Raises TargetError where that is nothing, or no loss."""
    return _compiled(reference, target, HERE)


def resolve_on(device: str, reference: str, target: str) -> Found:
    """The same of `torch-compile@device:reference`."""
    return _compiled(reference, target, torch_device(device, target))


def _compiled(reference: str, target: str, device: TorchDevice) -> Found:
    """Raises TargetError where there is no compiler, too."""
    import torch

    first, _, rest = reference.partition(":")
    backend, place = (first, rest) if first in BACKENDS else (INDUCTOR, reference)
    if backend == INDUCTOR and device.kind in ("", "cpu") and not _has_compiler():
        raise TargetError(
            f"{target} needs a C++ compiler, {' or '.join(COMPILERS)} or what CXX names;"
            f" torch-compile:aot_eager:{place} needs none"
        )
    given = callable_for("torch-compile", (), place)
    loss = loss_of(given.function, target)
    compile_in_this_process()
    return differentiated(replace(given, function=torch.compile(loss, backend=backend, dynamic=True)), target, device)


def _has_compiler() -> bool:
    named = os.environ.get("CXX", "")
    return any(shutil.which(one) for one in ((named,) if named else COMPILERS))
