"""Packages that the code under test may not use: they do not import, and where they are loaded all the same it is told.

The first is done in the process that is judged, where it can be undone; the second from outside it, by the files that
are mapped into its memory, which shows packages with compiled code alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

BESIDE = {"jax": ("jaxlib",), "torch": ("triton",)}  # packages where the compiled code of others lies, or that use it


class NoFinder(MetaPathFinder):
    """Has modules of these packages not be found, whoever could find them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None for any other module, for other finders to find. Raises ImportError for these."""
        if is_of(name, self._names):
            raise ImportError(f"{name} is forbidden here, by --forbid", name=name)
        return None


def is_of(module: str, names: Iterable[str]) -> bool:
    """Whether a module is one of these, or a part of one."""
    return any(module == name or module.startswith(f"{name}.") for name in names)


def forbid(names: Sequence[str]) -> None:
    """Has them not import in this process any more."""
    if names:
        sys.meta_path.insert(0, NoFinder(names))


def modules_of(names: Sequence[str]) -> frozenset[str]:
    """The modules of them that are loaded here."""
    if not names:  # after each call there are a thousand modules to look at
        return frozenset()
    return frozenset(module for module in [*sys.modules] if is_of(module, names))


def loaded(names: Sequence[str], before: frozenset[str]) -> list[str]:
    """What is loaded of them here, in a few words each, but for what was before."""
    late = modules_of(names) - before
    return [f"{name} is loaded, which is forbidden" for name in names if any(is_of(one, (name,)) for one in late)]


def mapped(process: int, names: Sequence[str]) -> list[str]:
    """What another process has in its memory of them, in a few words each; nothing where that cannot be read."""
    found: set[str] = set()
    if not names:
        return []
    with suppress(OSError):
        files = {line.partition("/")[2] for line in Path(f"/proc/{process}/maps").read_text().splitlines()}
        for name in names:
            places = [f"/{one.replace('.', '/')}{end}" for one in (name, *BESIDE.get(name, ())) for end in ("/", ".")]
            if any(place in f"/{file}" for file in files for place in places):
                found.add(name)
    return [f"{name} is in its memory, which is forbidden" for name in sorted(found)]
