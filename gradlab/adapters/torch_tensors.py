"""Arrays as tensors of torch and back, and tensors in memory that has a guard on either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array

GUARD = 1 << 16  # entries on either side: a block of a kernel has as many at most
FILL = 0xFF  # of each of their bytes: NaN in every floating dtype, and -1 in every integer


def tensor_of(array: Array) -> Any:
    """The tensor of an array's memory, or of a copy of what torch does not take: read-only, unaligned, backwards."""
    import torch

    if not (array.flags.writeable and array.flags.aligned and all(stride >= 0 for stride in array.strides)):
        array = array.copy()
    if array.dtype.name == "bfloat16":  # which NumPy has from ml_dtypes, and torch does not know as such
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def array_of(tensor: Any) -> Array:
    """The array of a tensor's memory."""
    import torch

    tensor = tensor.detach().cpu()
    if tensor.dtype == torch.bfloat16:
        return np.asarray(tensor.view(torch.int16).numpy().view(as_dtype("bfloat16")))
    return np.asarray(tensor.numpy())


def pair_of_arrays(returned: Any) -> tuple[Array, Array]:
    """Loss and gradient as arrays, of a function that returns them as tensors. Raises TypeError for anything else."""
    import torch

    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise TypeError("a loss that returned (loss, gradient) once must do so always")
    if not all(isinstance(one, torch.Tensor) for one in returned):
        kinds = ", ".join(type(one).__name__ for one in returned)
        raise TypeError(f"loss and gradient must be tensors, got {kinds}")
    value, gradient = map(array_of, returned)
    return value, gradient


@dataclass(frozen=True, eq=False)
class GuardedTensor:
    """A copy of an array on a device, with its strides, between entries that are no part of it.

    Reading those gives NaN, or -1 of integers; `take_back` sees whether they were written.
    """

    array: Array
    tensor: Any
    _room: Any
    _span: int

    def take_back(self, name: str) -> None:
        """Has the array hold what the tensor holds now. Raises IndexError where something was written beside it."""
        import torch

        size = self._room.element_size()
        around = self._room.view(torch.uint8)
        for guard in (around[: GUARD * size], around[(GUARD + self._span) * size :]):
            if not bool((guard == FILL).all()):
                n_entries = int((guard != FILL).count_nonzero()) // size or 1
                raise IndexError(f"wrote {n_entries} entries outside the {name}: a store needs a mask there")
        now = array_of(self.tensor)
        if self.array.flags.writeable and now.tobytes() != self.array.tobytes():
            self.array[...] = now


def guarded(array: Array, device: str) -> GuardedTensor:
    """A copy of the array on a device, as torch names it, with a guard on either side."""
    import torch

    given = tensor_of(array)
    span = 1 + sum((n - 1) * step for n, step in zip(given.shape, given.stride(), strict=True)) if given.numel() else 0
    room = torch.full(((span + 2 * GUARD) * given.element_size(),), FILL, dtype=torch.uint8).view(given.dtype)
    room[GUARD : GUARD + span] = given.as_strided((span,), (1,))
    room = room.to(device)
    return GuardedTensor(array, room.as_strided(given.shape, given.stride(), GUARD), room, span)
