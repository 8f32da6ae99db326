"""Loading a target: the implementations that a string, or a callable, stands for.

A target is, in this order of precedence:

- the name of something that ships with gradlab: `shifted`; write `./shifted` for a folder of that name;
- the name of an entry point of the group `gradlab.implementations`;
- `torch:...`, `c:...` and the like: what an adapter makes of the rest, see `adapters/prefixes.py`; a file or a module
  of the name of a prefix is written `./c.py:callable`;
- `package.module:callable` or `path/file.py:callable`, where the callable may be an attribute path, or a class with
  `forward(logits, targets)` and `backward(dout)`, of which an instance is made for each call;
- a file: the functions that it marks with `@gradlab.implementation`, and those in its `__all__`;
- a folder: the same for every `*.py` below it whose path holds no part that starts with "_" or "."; a file that
  mentions neither `__all__` nor `implementation` is not even imported.

What a function claims: what the caller gives, over its decorator, over the module's `CLAIMS` (one mapping for all
its functions, or one for each function's name), over its adapter's, over the defaults.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import ATTRIBUTE
from gradlab.evaluation.foreign import describe_error
from gradlab.evaluation.keywords import signature_fault
from gradlab.evaluation.process_state import AT_LOADING, watch_process
from gradlab.targets.callables import (
    MISSING,
    Found,
    attribute_of,
    callable_at,
    did_you_mean,
    existing,
    follow,
    is_path,
)
from gradlab.targets.claiming import claim
from gradlab.targets.folders import files_that_may_offer, offers_nothing
from gradlab.targets.importing import AbsentError, TargetError, import_file, import_name, require
from gradlab.targets.prefixes import PREFIXES, adapt
from gradlab.targets.shipped import everything, needs_of, shipped_targets

GROUP = "gradlab.implementations"
_PREFIXES = tuple(f"{prefix}:" for prefix in PREFIXES)  # as they are written

__all__ = ["GROUP", "TargetError", "implementation_of", "load", "with_gradients"]


def load(
    target: str, claims: Mapping[str, Any], dtypes: Iterable[str] = (), faults: list[str] | None = None
) -> list[Implementation]:
    """The implementations that `target` stands for, at least one unless faults are collected.

    claims: what the caller claims for them. dtypes: what is claimed for a function that says nothing of dtypes.
    faults: where what is wrong with the files of a folder goes, one line each; without it the first is an error.
    Raises TargetError, in one line, where the target does not exist or import, is not callable, cannot be called
    with (logits, labels) and the keywords it claims, or where a claim is unknown.
    """
    folder = folder_of(target) if faults is not None else None
    if folder is None or faults is None:
        return watched(target, lambda: [claim(found, claims, tuple(dtypes)) for found in _find(target)])
    loaded: list[Implementation] = []
    for path in files_that_may_offer(folder, faults):
        try:
            loaded += load_offered(path, claims, dtypes)
        except TargetError as error:
            faults.append(str(error))
    if not (loaded or faults):
        raise TargetError(offers_nothing(folder))
    return loaded


def with_gradients(loaded: list[Implementation]) -> list[Implementation]:
    """The same, for what looks at gradients only. Raises TargetError where one claims another derivative."""
    for one in loaded:
        if one.claims.derivative != "gradient":
            raise TargetError(f"{one.name} must claim derivative gradient here, claims {one.claims.derivative}")
    return loaded


def folder_of(target: str) -> Path | None:
    """The folder that a target stands for, None where it is no folder, or the name of something that ships."""
    return Path(target) if os.path.isdir(target) and target not in everything() else None


def load_offered(path: Path, claims: Mapping[str, Any], dtypes: Iterable[str] = ()) -> list[Implementation]:
    """What one file of a folder offers, which may be nothing. Raises TargetError."""
    return watched(str(path), lambda: [claim(found, claims, tuple(dtypes)) for found in _offers(path)])


def watched(shown: str, find: Callable[[], list[Implementation]]) -> list[Implementation]:
    """What find() returns, each with what loading it has changed in the process, which is put back.

    Raises TargetError for whatever foreign code raises, in an import or in what asks for an attribute.
    """
    changes = watch_process(AT_LOADING)
    try:
        found = find()
    except (TargetError, KeyboardInterrupt):
        changes()
        raise
    except BaseException as error:
        changes()
        raise TargetError(f"{shown} cannot be loaded: {describe_error(error)}") from None
    changed = changes()
    return [replace(one, changed=changed) for one in found]


def implementation_of(
    function: Callable[..., Any], claims: Mapping[str, Any], dtypes: Iterable[str] = ()
) -> Implementation:
    """The implementation that is `function`, under its own name, with claims found as `load` does.

    Its target is `module:name` where that leads back to it, and "" otherwise. Raises TargetError as `load` does.
    """

    (found,) = watched("the function", lambda: [claim(found_of(function), claims, tuple(dtypes))])
    return found


def found_of(function: Callable[..., Any]) -> Found:
    """A callable that is there already; its target is `module:name` where that leads back to it, and "" otherwise."""
    module = inspect.getmodule(function)
    path = getattr(function, "__qualname__", "")
    target = f"{module.__name__}:{path}" if module is not None and follow(module, path) is function else ""
    return Found(getattr(function, "__name__", type(function).__name__), function, module, target)


def _find(target: str) -> list[Found]:
    if not target.strip():
        raise TargetError("a target must not be empty")
    if target.isidentifier() and target in everything():
        function, module = everything()[target]
        require(target, needs_of(module))
        return [Found(target, function, module, target)]
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    if target in entries:
        return _find_entry_point(entries[target])
    found = adapt(target) or _find_in_module(target)
    if found is not None:
        return [found]
    if not is_path(target) and not os.path.exists(target):
        raise TargetError(_unknown(target, [*shipped_targets(), *entries]))
    path = existing(target)
    return _find_in_folder(path) if path.is_dir() else _find_in_file(path)


def _find_in_module(target: str) -> Found | None:
    """As `callable_at`; where there is no such module, the message knows of prefixes that are written nearly so."""
    try:
        return callable_at(target, target)
    except AbsentError as error:
        raise AbsentError(f"{error}{did_you_mean(target.partition(':')[0] + ':', _PREFIXES)}") from error


def _find_in_file(path: Path) -> list[Found]:
    found = _offers(path)
    if not found:
        raise TargetError(
            f"{path} has nothing to check: mark functions with @gradlab.implementation, list them in __all__,"
            f" or write {path}:function"
        )
    return found


def _find_in_folder(folder: Path) -> list[Found]:
    faults: list[str] = []
    found = [one for path in files_that_may_offer(folder, faults) for one in _offers(path)]
    if faults:
        raise TargetError("\n".join(faults))
    if not found:
        raise TargetError(offers_nothing(folder))
    return found


def _offers(path: Path) -> list[Found]:
    """The functions that a file marks, then those that it lists in `__all__`; classes and constants do not count."""
    module = import_file(path)
    own = {name: value for name, value in vars(module).items() if _is_of(module, value)}
    listed = getattr(module, "__all__", ())
    if not isinstance(listed, list | tuple):
        raise TargetError(f"{path}: __all__ must be a list of names, is of type {type(listed).__name__}")
    marked = [name for name, value in own.items() if hasattr(value, ATTRIBUTE)]
    names = [name for name in dict.fromkeys([*marked, *map(str, listed)]) if _may_be_meant(module, name)]
    found = [attribute_of(module, name, str(path), f"{path}:{name}") for name in names]
    # beside marked ones, a listed function of another signature is a helper, and no mistake
    return [one for one in found if not marked or one.name in marked or signature_fault(one.function) is None]


def _is_of(module: ModuleType, value: Any) -> bool:
    """Whether a module's own code made a value; a partial function does not say whose it is, and counts."""
    return isinstance(value, functools.partial) or getattr(value, "__module__", "") == module.__name__


def _may_be_meant(module: ModuleType, name: str) -> bool:
    """False for classes and constants; a name that is not there at all is an error, to be told later."""
    value = follow(module, name)
    return value is MISSING or (callable(value) and not inspect.isclass(value))


def _find_entry_point(entry: EntryPoint) -> list[Found]:
    module = import_name(entry.module)
    if not entry.attr:
        raise TargetError(f"entry point {entry.name} must be written module:callable, is {entry.value!r}")
    found = attribute_of(module, entry.attr, f"{entry.module} of entry point {entry.name}", entry.name)
    return [Found(entry.name, found.function, found.module, entry.name)]


def _unknown(target: str, names: list[str]) -> str:
    prefix = target.removesuffix(":")
    if prefix in PREFIXES:
        return f"{target} must be followed by what it adapts, as {prefix}:NAME"
    close = did_you_mean(target, [*names, *_PREFIXES])
    hint = close or "; a function of a module is written module:function"
    return f"{target} is no file, folder, shipped implementation or entry point{hint}"
