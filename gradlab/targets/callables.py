"""Finding the callable that `package.module:callable` or `path/file.py:callable` stands for."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from gradlab.evaluation.claims import ATTRIBUTE
from gradlab.targets.importing import TargetError, import_file, import_name

MISSING = object()


@dataclass(frozen=True, eq=False)
class Found:
    """A callable that a target stands for.

    name, function: under which name it is told of, and itself. module: where it was found, with its CLAIMS.
    target: how to load it again. defaults: what is claimed for it where nothing else says so. takes: options that are
    claimed for it, whatever else says so.
    """

    name: str
    function: Any
    module: ModuleType | None
    target: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    takes: tuple[str, ...] = ()


def callable_at(place: str, target: str) -> Found | None:
    """The callable at a place written module:callable or file.py:callable; None if it is written otherwise.

    target: what stands in errors, and how it is loaded again. Raises TargetError where there is none.
    """
    head, _, attribute = place.rpartition(":")
    if not head or not all(part.isidentifier() for part in attribute.split(".")):
        return None
    module = import_file(existing(head)) if is_path(head) else _module_named(head, target)
    return attribute_of(module, attribute, head, target)


def one_of(own: Mapping[str, Callable[..., Any]], reference: str, target: str) -> Found:
    """The adapter's own function of a name, the reference at the end of a target, out of those by name.

    Raises TargetError where there is none of that name.
    """
    if reference not in own:
        raise TargetError(f"{target} must be {' or '.join(own)} after {target.removesuffix(reference)}")
    return Found(target, own[reference], None, target)


def callable_for(prefix: str, own: Iterable[str], reference: str) -> Found:
    """The user's callable in a target `prefix:reference`; own: the names of the adapter's own targets.

    Raises TargetError where the reference is neither one of those nor written module:callable or file.py:callable.
    """
    found = callable_at(reference, f"{prefix}:{reference}")
    if found is None:
        known = ", ".join([*own, "module:callable"])
        raise TargetError(f"{prefix}:{reference} must be {known} or file.py:callable after {prefix}:")
    return found


def standing_for(found: Found, call: Any, defaults: Mapping[str, Any]) -> Found:
    """`call` in the place of a callable that was found, with its name, its signature and its claims.

    defaults: what is claimed for it where it says nothing.
    """
    call.__wrapped__ = getattr(found.function, "forward", found.function)  # whose signature counts; that of nn.Module
    if hasattr(found.function, ATTRIBUTE):
        setattr(call, ATTRIBUTE, getattr(found.function, ATTRIBUTE))
    return replace(found, function=call, defaults=defaults)


def attribute_of(module: ModuleType, path: str, place: str, target: str) -> Found:
    """The callable at an attribute path of a module; place: the module's name for people; target: as in `Found`."""
    value = follow(module, path)
    if value is MISSING:
        names = [name for name, one in vars(module).items() if callable(one) and not name.startswith("_")]
        raise TargetError(f"{place} has no {path!r}{did_you_mean(path, names)}")
    if not callable(value):
        raise TargetError(f"{target} is not callable, it is of type {type(value).__name__}")
    return Found(path.rpartition(".")[2], value, module, target)


def follow(value: Any, path: str) -> Any:
    """What an attribute path leads to, from a value; MISSING where it leads nowhere."""
    for part in path.split("."):
        value = getattr(value, part, MISSING)
    return value


def _module_named(name: str, target: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise TargetError(f"{target}: {name!r} is no name of a module, and no path of a Python file")
    return import_name(name)


def is_path(text: str) -> bool:
    """Whether a text names a file, and no module."""
    return text.endswith(".py") or "/" in text or "\\" in text or os.path.isfile(text)


def existing(text: str) -> Path:
    """The path of a folder, or of a Python file. Raises TargetError where there is none."""
    path = Path(text)
    if not os.path.exists(text):  # False, where Path.exists would raise: a name that is too long, say
        raise TargetError(f"{text} does not exist")
    if path.is_file() and path.suffix != ".py":
        raise TargetError(f"{text} must be a Python file, named *.py")
    return path


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The end of a message: which of the names may be meant; empty where none is like it."""
    close = difflib.get_close_matches(name, names, n=3)
    return f"; did you mean {' or '.join(close)}?" if close else ""
