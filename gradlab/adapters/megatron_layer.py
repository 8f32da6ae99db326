"""`layer:megatron:vocab_parallel_cross_entropy`: Megatron's loss of classes that are shared between processes.

Here one process has them all: a group of one, made by torch.distributed for CPUs when the target is loaded.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from gradlab.adapters.layer_differentiation import with_gradients_by
from gradlab.adapters.torch_layer import CLAIMS, loss_and_gradients
from gradlab.targets.callables import Found, one_of
from gradlab.targets.importing import import_name

NEEDS = {"torch": "megatron", "megatron": "megatron"}
WAYS = ("scaled", "accumulated", "detached")  # its backward pass writes over what it has kept


def _vocab_parallel_cross_entropy(X: Any, W: Any, b: Any, targets: Any) -> Any:
    """The mean of vocab_parallel_cross_entropy of X W^T + b, which it overwrites; it works in float32 alone."""
    import torch

    losses = getattr(importlib.import_module("megatron.core.tensor_parallel.cross_entropy"), LOSS)
    return losses(torch.nn.functional.linear(X, W, b), targets).mean()


LOSS = "vocab_parallel_cross_entropy"
OWN = {LOSS: _vocab_parallel_cross_entropy}


def resolve(reference: str, target: str) -> Found:
    """What a target `layer:megatron:reference` stands for. Raises TargetError where that is nothing."""
    found = one_of(OWN, reference, target)
    _begin_group_of_one()
    claims = {**CLAIMS, "reduction": ["mean"], "options": [], "dtypes": ["float32"], "backward": WAYS}
    return with_gradients_by(loss_and_gradients, found, claims, inspect.signature(found.function))


def _begin_group_of_one() -> None:
    """Makes the group, once in a process; what Megatron warns of as it is imported is dropped."""
    import torch

    parallel_state = import_name("megatron.core.parallel_state")
    if not torch.distributed.is_initialized():
        store = torch.distributed.HashStore()
        torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    if not parallel_state.model_parallel_is_initialized():
        parallel_state.initialize_model_parallel()
