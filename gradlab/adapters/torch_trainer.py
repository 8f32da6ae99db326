"""`trainer:torch:file.py:function`: a training loop on tensors, over a module and an optimizer, or by hand.

It takes tensors where another trainer takes arrays, labels as int64, and returns tensors, or a module whose weight
(K, D) and bias are its parameters.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

NEEDS = {"torch": "torch"}


def on_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function on arrays."""

    @functools.wraps(function)
    def train(**arguments: Any) -> Any:
        import torch

        given = {
            name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
            for name, value in arguments.items()
        }
        return _as_arrays(function(**given))

    return train


def _as_arrays(value: Any) -> Any:
    """Tensors as arrays, in tuples, lists and mappings too; a module as its parameters by name."""
    import torch

    if isinstance(value, torch.nn.Module):
        return {name.replace(".", "_"): one.detach().cpu().numpy() for name, one in value.named_parameters()}
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    if isinstance(value, tuple | list):
        return [_as_arrays(one) for one in value]
    if isinstance(value, dict):
        return {name: _as_arrays(one) for name, one in value.items()}
    return value
