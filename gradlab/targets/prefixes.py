"""The prefixes of targets: `prefix:rest` is what the adapter of that prefix makes of the rest.

An adapter is a module with a function `resolve(reference, target) -> Found`, and NEEDS where it takes a framework: its
packages, each with the extra that brings it. It is imported when its prefix is asked for, and not before.
"""

from __future__ import annotations

import importlib

from gradlab.targets.callables import Found
from gradlab.targets.importing import import_name, require
from gradlab.targets.shipped import needs_of

PREFIXES = {
    "torch": "gradlab.adapters.torch_loss",
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


LAYER = "layer:"  # before all else in the target of a layer, see `layers.py`
TRUST = "--trust"


def runs_a_command(target: str) -> bool:
    """Whether a target is a command to be run, and no code to be imported."""
    return target.removeprefix(LAYER).startswith("exec:")


def untrusted(target: str, file: str) -> str:
    """Why a target that a file names is not run."""
    return f"{file} names a command, {target!r}: {TRUST} runs it"


def split_prefix(target: str) -> tuple[str, str]:
    """The prefix of an adapter with its colon, and the rest of a target; ("", target) where it has no such prefix."""
    prefix, colon, rest = target.partition(":")
    return (prefix + colon, rest) if rest and prefix in PREFIXES else ("", target)


def adapt(target: str) -> Found | None:
    """What `prefix:rest` stands for; None for a target without the prefix of an adapter.

    Raises TargetError where a package is missing, or where the rest leads to nothing.
    """
    prefix, rest = split_prefix(target)
    if not prefix:
        return None
    adapter = importlib.import_module(PREFIXES[prefix[:-1]])
    require(target, needs_of(adapter))
    for package in needs_of(adapter):
        import_name(package)  # so that a broken installation is one line, too
    found: Found = adapter.resolve(rest, target)
    return found
