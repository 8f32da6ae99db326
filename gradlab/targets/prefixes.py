"""The prefixes of targets: `prefix:rest` is what the adapter of that prefix makes of the rest.

An adapter is a module with a function `resolve(reference, target) -> Found`, and NEEDS where it takes a framework: its
packages, each with the extra that brings it. It is imported when its prefix is asked for, and not before. One whose
framework puts arrays on a device has `resolve_on(device, reference, target)` too: `prefix@device:rest`, such as
`torch@cuda:1:rest`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gradlab.targets.callables import Found
from gradlab.targets.importing import TargetError, import_name, require
from gradlab.targets.shipped import needs_of

PREFIXES = {
    "torch": "gradlab.adapters.torch_loss",
    "torch-compile": "gradlab.adapters.torch_compile",
    "triton": "gradlab.adapters.triton_loss",
    "ranks": "gradlab.adapters.ranks_loss",
    "jax": "gradlab.adapters.jax_loss",
    "sklearn": "gradlab.adapters.sklearn_loss",
    "scipy": "gradlab.adapters.scipy_idioms",
    "autograd": "gradlab.adapters.autograd_loss",
    "tensorflow": "gradlab.adapters.tensorflow_loss",
    "mlx": "gradlab.adapters.mlx_loss",
    "array-api": "gradlab.adapters.array_api",
    "pair": "gradlab.adapters.loss_and_grad",
    "upstream": "gradlab.adapters.upstream",
    "in-place": "gradlab.adapters.in_place",
    "class-axis": "gradlab.adapters.class_axis",
    "probabilities": "gradlab.adapters.on_probabilities",
    "c": "gradlab.adapters.c_function",
    "exec": "gradlab.adapters.program",
}


ON_DEVICES = ("torch", "torch-compile", "triton", "jax")
_KNOWN = ", ".join(f"{one}:" for one in ON_DEVICES)
_DEVICE = re.compile(r"[a-z]\w*(?::\d+)?")
_PREFIXED = re.compile(rf"(?P<name>[\w-]+)(?:@(?P<device>{_DEVICE.pattern}))?:(?P<rest>.+)", re.DOTALL)

LAYER = "layer:"  # before all else in the target of a layer, see `layers.py`
TRAINER = "trainer:"  # of what `gradlab certify` judges, see `trainers.py`
TRUST = "--trust"


def runs_a_command(target: str) -> bool:
    """Whether a target is a command to be run, and no code to be imported."""
    return target.removeprefix(LAYER).startswith("exec:")


def untrusted(target: str, file: str) -> str:
    """Why a target that a file names is not run."""
    return f"{file} names a command, {target!r}: {TRUST} runs it"


@dataclass(frozen=True)
class Prefixed:
    """A target with the prefix of an adapter, without it or its device, which may be "", and the rest."""

    name: str
    device: str
    reference: str

    @property
    def prefix(self) -> str:
        """The prefix as it is written, with its device and its colon."""
        return f"{self.name}@{self.device}:" if self.device else f"{self.name}:"


def split_prefix(target: str) -> tuple[str, str]:
    """The prefix of an adapter with its device and its colon, and the rest; ("", target) where it has none."""
    found = _prefixed(target)
    return (found.prefix, found.reference) if found else ("", target)


def on_device(targets: Sequence[str], device: str | None) -> tuple[str, ...]:
    """The targets, those on a device that is given, if one is. Raises TargetError as `with_device`."""
    return tuple(targets) if device is None else tuple(with_device(target, device) for target in targets)


def with_device(target: str, device: str) -> str:
    """The target whose arrays are put on a device. Raises TargetError where its adapter puts them on none."""
    if not _DEVICE.fullmatch(device):
        raise TargetError(f"a device must be written like cuda or cuda:1, got {device!r:.60}")
    found = _prefixed(target)
    if found is None or found.name not in ON_DEVICES:
        raise TargetError(f"a device goes with targets that begin with {_KNOWN}; {target} does not")
    return target if found.device else replace(found, device=device).prefix + found.reference


def adapt(target: str) -> Found | None:
    """What `prefix:rest` stands for; None for a target without the prefix of an adapter.

    Raises TargetError where a package is missing, where the rest leads to nothing, or where there is no such device.
    """
    given = _prefixed(target)
    if given is None:
        return None
    adapter = importlib.import_module(PREFIXES[given.name])
    if given.device and given.name not in ON_DEVICES:
        raise TargetError(f"a device goes with targets that begin with {_KNOWN}; {target} does not")
    require(target, needs_of(adapter))
    for package in needs_of(adapter):
        import_name(package)  # so that a broken installation is one line, too
    found: Found
    if given.device:
        found = adapter.resolve_on(given.device, given.reference, target)
    else:
        found = adapter.resolve(given.reference, target)
    return found


def _prefixed(target: str) -> Prefixed | None:
    """The parts of a target; None where it has no prefix of an adapter."""
    found = _PREFIXED.fullmatch(target)
    if found is None or found["name"] not in PREFIXES:
        return None
    return Prefixed(found["name"], found["device"] or "", found["rest"])
