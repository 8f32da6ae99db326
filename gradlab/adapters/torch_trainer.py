"""`trainer:torch:file.py:function`: a training loop on tensors, over a module and an optimizer, or by hand.

It takes tensors where another trainer takes arrays, labels as int64, and returns tensors, or a module whose weight
(K, D) and bias are its parameters. It may take the module, and train it in place. torch's own generator is seeded for
each call, and is afterwards as it was.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradlab.trainer.form import ModuleStart
from gradlab.trainer.order import SEED

NEEDS = {"torch": "torch"}


def on_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function on arrays."""

    @functools.wraps(function)
    def train(**arguments: Any) -> Any:
        import torch

        with torch.random.fork_rng(devices=[]):  # which a module draws from, too, when it is made
            given = {name: _as_tensors(value) for name, value in arguments.items()}
            if isinstance(given.get("generator"), np.random.Generator):
                given["generator"] = torch.Generator().manual_seed(SEED)
            torch.manual_seed(SEED)
            returned = function(**given)
        modules = [value for value in given.values() if isinstance(value, torch.nn.Module)]
        return _as_arrays([returned, *modules] if modules else returned)

    return train


def generators() -> Mapping[str, Callable[[int], Any]]:
    """torch's generators and loaders by name, each made from a seed, with the names of NumPy's generators."""
    return {
        "torch.randperm": _OfTorch,
        "torch's DataLoader": _OfLoader,
        "torch's DataLoader, with a generator": functools.partial(_OfLoader, has_own=True),
    }


class _OfTorch:
    """`torch.Generator`, or the global one, which draws the same."""

    def __init__(self, seed: int) -> None:
        import torch

        self.torch = torch
        self.generator = torch.Generator().manual_seed(seed)

    def permutation(self, count: int) -> Any:
        return self.torch.randperm(count, generator=self.generator).numpy()

    def shuffle(self, rows: Any) -> None:
        rows[:] = rows[self.permutation(len(rows))]

    def choice(self, count: int, size: int, replace: bool = True) -> Any:
        return self.randint(0, count, size) if replace else self.permutation(count)[:size]

    def randint(self, low: int, high: int, size: int) -> Any:
        return self.torch.randint(low, high, (size,), generator=self.generator).numpy()

    def normal(self, size: Sequence[int]) -> None:
        """Draw what the start of a module takes, a weight and a bias, and leave it."""
        n_features, n_classes = size
        self.torch.empty(n_classes, n_features).uniform_(generator=self.generator)
        self.torch.empty(n_classes).uniform_(generator=self.generator)


class _OfLoader(_OfTorch):
    """A `DataLoader` that shuffles, by torch's global generator, or by one of its own."""

    def __init__(self, seed: int, has_own: bool = False) -> None:
        super().__init__(seed)
        self.has_own = has_own

    def permutation(self, count: int) -> Any:
        from torch.utils.data import DataLoader

        own = self.generator if self.has_own else None
        with self.torch.random.fork_rng(devices=[]):
            self.torch.set_rng_state(self.generator.get_state())
            loader: Any = DataLoader(range(count), batch_size=count, shuffle=True, generator=own)
            (rows,) = loader
            if own is None:
                self.generator.set_state(self.torch.get_rng_state())
        return rows.numpy()


def _as_tensors(value: Any) -> Any:
    """Arrays as tensors, in lists and mappings too; a start for a module as one."""
    import torch

    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    if isinstance(value, ModuleStart):
        return _module(value)
    if isinstance(value, list):
        return [_as_tensors(one) for one in value]
    if isinstance(value, dict):
        return {name: _as_tensors(one) for name, one in value.items()}
    return value


def _module(start: ModuleStart) -> Any:
    import torch

    weight = torch.from_numpy(start.weight)
    module = torch.nn.Linear(*weight.shape, dtype=weight.dtype)
    with torch.no_grad():
        module.weight.copy_(weight.T)
        module.bias.copy_(torch.from_numpy(start.bias))
    return module


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
