"""What ships with gradlab: implementations, teaching codes, and the specimens, each with one known defect."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

PACKAGES = ("gradlab.implementations", "gradlab.implementations.specimens")

Specimen = Any  # gradlab.implementations.specimens._specimen.Specimen, which is data and imports nothing from here


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
    def is_teaching_code(self) -> bool:
        return self.module.__name__.startswith(PACKAGES[1])


@cache
def shipped() -> dict[str, Shipped]:
    """What has a verdict to reach, by name: the implementations in alphabetical order, then the teaching codes."""
    return {one.name: one for module in _modules() if not hasattr(module, "SPECIMENS") for one in _stating(module)}


@cache
def specimens() -> dict[str, Specimen]:
    """Every specimen, by the name of its defect; module by module, in their order there."""
    return {one.name: one for module in _modules() for one in getattr(module, "SPECIMENS", ())}


@cache
def everything() -> dict[str, tuple[Any, ModuleType]]:
    """All functions that ship, by name: each with its module, which has its CLAIMS."""
    return {name: (getattr(module, name), module) for module in _modules() for name in getattr(module, "__all__", ())}


@cache
def _modules() -> tuple[ModuleType, ...]:
    """The public modules of the packages, each package's in alphabetical order."""
    return tuple(module for package in PACKAGES for module in _in_package(package))


def _in_package(package: str) -> Iterator[ModuleType]:
    folder = importlib.import_module(package)
    for found in pkgutil.iter_modules(folder.__path__):
        if not found.name.startswith("_") and not found.ispkg:
            yield importlib.import_module(f"{package}.{found.name}")


def _stating(module: ModuleType) -> Iterator[Shipped]:
    stated = getattr(module, "EXPECTED", {})
    for name in getattr(module, "__all__", ()):
        yield Shipped(name, getattr(module, name), module, stated.get("verdict"), tuple(stated.get("because", ())))
