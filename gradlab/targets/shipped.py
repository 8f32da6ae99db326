"""What ships with gradlab: implementations, sound strangers, teaching codes, and specimens of the known defects."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from gradlab.targets.importing import lacking

IMPLEMENTATIONS = "gradlab.implementations"
STRANGERS = "gradlab.implementations.strangers"
SPECIMENS = "gradlab.implementations.specimens"
LAYER_SPECIMENS = "gradlab.implementations.specimens.layer"
LAYER_STRANGERS = "gradlab.implementations.strangers.layer"

Specimen = Any  # gradlab.implementations.specimens._specimen.Specimen, which is data and imports nothing from here


@dataclass(frozen=True, eq=False)
class Shipped:
    """A function that ships with gradlab and has a verdict to reach, under its name.

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
        return self.module.__name__.startswith(SPECIMENS)


@cache
def shipped_targets() -> dict[str, Shipped]:
    """What has a verdict to reach, by name: the implementations in alphabetical order, then the teaching codes.

    Without those whose extra is not installed.
    """
    modules = [*_modules(IMPLEMENTATIONS), *(one for one in _modules(SPECIMENS) if not hasattr(one, "SPECIMENS"))]
    return {one.name: one for module in modules if not lacking(needs_of(module)) for one in _stating(module)}


def needs_of(module: ModuleType) -> dict[str, str]:
    """The packages that a module states in NEEDS, each with the extra that brings it."""
    needs: dict[str, str] = getattr(module, "NEEDS", {})
    return needs


@cache
def specimens() -> dict[str, Specimen]:
    """Every specimen, by the name of its defect; module by module, in their order there."""
    return {one.name: one for module in _modules(SPECIMENS) for one in getattr(module, "SPECIMENS", ())}


@cache
def layer_specimens() -> dict[str, Specimen]:
    """Every specimen of the layer, by the name of its defect; module by module, in their order there."""
    return {one.name: one for module in _all_modules(LAYER_SPECIMENS) for one in getattr(module, "SPECIMENS", ())}


def sound() -> list[str]:
    """The names of all that no check may reject: the implementations that state no other verdict, and the strangers."""
    stable = [one.name for one in shipped_targets().values() if one.stated is None]
    return stable + [name for module in _modules(STRANGERS) for name in module.__all__]


@cache
def everything() -> dict[str, tuple[Any, ModuleType]]:
    """All functions that ship, by name: each with its module, which has its CLAIMS."""
    modules = [module for package in (IMPLEMENTATIONS, STRANGERS, SPECIMENS) for module in _modules(package)]
    return {name: (getattr(module, name), module) for module in modules for name in getattr(module, "__all__", ())}


@cache
def layers() -> dict[str, tuple[Any, ModuleType]]:
    """The layers that ship, by name: each with its module, which has its CLAIMS. None is among the others here."""
    modules = [module for module in _all_modules(IMPLEMENTATIONS) if _is_layer(module)]
    return {name: (getattr(module, name), module) for module in modules for name in getattr(module, "__all__", ())}


def _is_layer(module: ModuleType) -> bool:
    return "takes" in getattr(module, "CLAIMS", {})


def _modules(package: str) -> tuple[ModuleType, ...]:
    """The public modules of a package that are about losses of logits, in alphabetical order."""
    return tuple(module for module in _all_modules(package) if not _is_layer(module))


@cache
def _all_modules(package: str) -> tuple[ModuleType, ...]:
    """The public modules of a package, in alphabetical order."""
    folder = importlib.import_module(package)
    names = [one.name for one in pkgutil.iter_modules(folder.__path__) if not one.ispkg and one.name[0] != "_"]
    return tuple(importlib.import_module(f"{package}.{name}") for name in names)


def _stating(module: ModuleType) -> Iterator[Shipped]:
    stated = getattr(module, "EXPECTED", {})
    for name in getattr(module, "__all__", ()):
        yield Shipped(name, getattr(module, name), module, stated.get("verdict"), tuple(stated.get("because", ())))
