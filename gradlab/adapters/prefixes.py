"""The prefixes of targets: `prefix:rest` is what the adapter of that prefix makes of the rest.

An adapter is a module with a function `found(rest, target) -> Found`, and NEEDS where it takes a framework: its
packages, each with the extra that brings it. It is imported when its prefix is asked for, and not before.
"""

from __future__ import annotations

import importlib

from gradlab.adapters.callables import Found
from gradlab.adapters.importing import import_name, require
from gradlab.adapters.shipped import needs_of

PREFIXES = {
    "torch": "gradlab.adapters.torch_loss",
    "c": "gradlab.adapters.c_function",
}


def adapted(prefix: str, rest: str) -> Found:
    """What `prefix:rest` stands for. Raises TargetError where a package is missing, or the rest leads to nothing."""
    adapter = importlib.import_module(PREFIXES[prefix])
    target = f"{prefix}:{rest}"
    require(target, needs_of(adapter))
    for package in needs_of(adapter):
        import_name(package)  # so that a broken installation is one line, too
    found: Found = adapter.found(rest, target)
    return found
