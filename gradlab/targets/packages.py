"""The packages that a target rests on, and their versions."""

from __future__ import annotations

import importlib
from importlib.metadata import packages_distributions, version

from gradlab.targets.layers import LAYER_PREFIXES
from gradlab.targets.prefixes import LAYER, PREFIXES, split_prefix
from gradlab.targets.shipped import needs_of


def packages_of(target: str) -> dict[str, str]:
    """The versions of the packages that the adapter of a target needs, by name; empty for a target without one."""
    adapter = _adapter_of(target)
    if not adapter:
        return {}
    distributions = packages_distributions()
    names = [name for package in needs_of(importlib.import_module(adapter)) for name in distributions.get(package, ())]
    return {name: version(name) for name in dict.fromkeys(names)}


def _adapter_of(target: str) -> str:
    """The module of the adapter of a target; "" where it has none."""
    if target.startswith(LAYER):
        return LAYER_PREFIXES.get(target.removeprefix(LAYER).partition(":")[0], "")
    return PREFIXES.get(split_prefix(target)[0].rstrip(":").partition("@")[0], "")
