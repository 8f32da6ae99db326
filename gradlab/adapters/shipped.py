"""What ships with gradlab: the implementations, and the specimens, which are wrong on purpose."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

PACKAGES = ("gradlab.implementations", "gradlab.implementations.specimens")


@dataclass(frozen=True, eq=False)
class Shipped:
    """A function that ships with gradlab, under its name.

    module: where it is, with its CLAIMS. stated: the verdict that it must get, `EXPECTED["verdict"]` of the module,
    or None where it only has to reach the level that it claims. because: the checks that must fail, its "because".
    """

    name: str
    function: Any
    module: ModuleType
    stated: str | None
    because: tuple[str, ...]

    @property
    def is_specimen(self) -> bool:
        return self.module.__name__.startswith(PACKAGES[1])


@cache
def shipped() -> dict[str, Shipped]:
    """Everything that ships, by name: the implementations in alphabetical order, then the specimens."""
    return {one.name: one for package in PACKAGES for one in _in_package(package)}


def _in_package(package: str) -> Iterator[Shipped]:
    folder = importlib.import_module(package)
    for found in pkgutil.iter_modules(folder.__path__):
        if not found.name.startswith("_") and not found.ispkg:
            module = importlib.import_module(f"{package}.{found.name}")
            for name in getattr(module, "__all__", ()):
                stated = getattr(module, "EXPECTED", {})
                because = tuple(stated.get("because", ()))
                yield Shipped(name, getattr(module, name), module, stated.get("verdict"), because)
