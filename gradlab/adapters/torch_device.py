"""Where torch computes: in NumPy's memory, or on a device, whose errors come late and may leave it unusable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gradlab.adapters.device_end import end_with_device
from gradlab.adapters.torch_tensors import guarded, tensor_of
from gradlab.problems.problem import Array
from gradlab.targets.importing import TargetError

WITHOUT_FLOAT64 = ("mps",)
WITHOUT_NUMBERS = ("meta",)
Result = TypeVar("Result")
COUNTERS = ("reset_peak_memory_stats", "memory_allocated", "max_memory_allocated")


@dataclass(frozen=True, eq=False)
class TorchDevice:
    """A device by its name, such as cuda:1, or "": NumPy's own memory, in which calls write to their arguments.

    module: torch's module of such devices, as torch.cuda; None for NumPy's own memory.
    """

    name: str = ""
    module: Any = None

    @property
    def kind(self) -> str:
        """What devices of it are called, without a number."""
        return self.name.partition(":")[0]

    @property
    def claims(self) -> dict[str, Any]:
        """What is claimed for a loss there that says nothing."""
        return {"dtypes": ("float32",)} if self.kind in WITHOUT_FLOAT64 else {}

    def put(self, array: Array) -> Any:
        """A tensor there: of the array's own memory where that is NumPy's, otherwise of a copy."""
        given = tensor_of(array)
        return given.to(self.name) if self.name else given

    def call(self, function: Callable[[Any], Result], logits: Array) -> Result:
        """What a function returns of a tensor of the logits there; whatever it writes to it is in the array afterwards.

        On a device the tensor lies between guards, and all is done when this returns. Raises IndexError where the
        guards were written, and whatever fails on the device. Ends the process, if that is one of gradlab's own, where
        nothing runs on the device any more.
        """
        if not self.name:
            return function(tensor_of(logits))
        try:
            placed = guarded(logits, self.name)
            returned = function(placed.tensor)
            self._wait()
        except Exception as error:
            if not self.is_usable():
                end_with_device(self.name, error)
            raise
        placed.take_back("logits")
        return returned

    def is_usable(self) -> bool:
        """Whether something can be computed there: after some errors nothing can, until the process ends."""
        import torch

        try:
            is_right = bool((torch.ones(2, device=self.name).sum() == 2).cpu())
            self._wait()
        except Exception:
            return False
        return is_right

    def most_held(self, call: Callable[[], int]) -> int:
        """The most that a call holds there at one time, in bytes by torch's count, less what it says it returns."""
        self._wait()
        self.module.reset_peak_memory_stats(*self._number)
        before = self.module.memory_allocated(*self._number)
        returned = call()
        self._wait()
        return max(int(self.module.max_memory_allocated(*self._number)) - int(before) - returned, 0)

    @property
    def counts_memory(self) -> bool:
        """Whether torch counts what is held there."""
        return all(hasattr(self.module, name) for name in COUNTERS)

    @property
    def _number(self) -> tuple[int, ...]:
        """Its number, as the module's functions take it; nothing for the only one, or the one in use."""
        number = self.name.partition(":")[2]
        return (int(number),) if number else ()

    def _wait(self) -> None:
        self.module.synchronize(*self._number)


def torch_device(name: str, target: str) -> TorchDevice:
    """The device of this name. Raises TargetError where torch has none."""
    import torch

    kind, _, number = name.partition(":")
    if kind in WITHOUT_NUMBERS:
        raise TargetError(f"{target}: tensors on {kind} have shapes and no numbers, so there is nothing to judge")
    try:
        torch.device(name)
    except RuntimeError:
        raise TargetError(f"{target}: torch {torch.__version__} knows no device {kind!r}") from None
    module = getattr(torch, kind, None)
    if module is None or not hasattr(module, "is_available") or not hasattr(module, "synchronize"):
        raise TargetError(f"{target}: torch {torch.__version__} knows no device {kind!r}")
    if not module.is_available():
        raise TargetError(f"{target}: torch {torch.__version__} finds no device {kind!r} on this machine")
    count = module.device_count() if hasattr(module, "device_count") else 1
    if number and int(number) >= count:
        raise TargetError(f"{target}: there are {count} devices {kind!r}, the first has number 0, got {number}")
    return TorchDevice(name, module)
