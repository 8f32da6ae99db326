"""What a function's answers depend on, found by content: the files that it is made of, and versions of packages.

Import statements are read, in functions too, and literals given to `import_module`: what is imported late counts, also
where it was not imported yet. A name that is worked out at run time is not found.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import sys
import sysconfig
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.machinery import all_suffixes
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

OWN = Path(__file__).parents[2]  # gradlab itself: its version is stated, and what computes the errors by content
_INSTALLED = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}


@dataclass(frozen=True)
class Imported:
    """What an import statement names. level: its leading dots; names: what is imported from there."""

    module: str
    level: int = 0
    names: tuple[str, ...] = ()


@dataclass
class Dependencies:
    """files: those followed, by name; packages: top-level names of what is installed."""

    files: dict[Path, str] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)

    @property
    def sources(self) -> dict[str, str]:
        """The SHA-256 of every file, by its name."""
        return dict(sorted((name, _digest(path)) for path, name in self.files.items()))

    @property
    def versions(self) -> dict[str, str]:
        """The version of every package, by the name of its distribution."""
        known = packages_distributions()
        return {name: version(name) for top in sorted(self.packages) for name in sorted(set(known.get(top, ())))}


def sources_of(function: Callable[..., Any]) -> dict[str, str]:
    """The SHA-256 of the function's file and of all that is imported there, but for installed packages, by name."""
    return dependencies_of(function).sources


def dependencies_of(function: Callable[..., Any]) -> Dependencies:
    """What a function depends on: of what is installed only the function's own folder is followed.

    What wraps it, or is wrapped by it, and is installed as part of another package, counts by the version of that one.
    """
    files = list(dict.fromkeys(_files_of(function)))
    starts = [path for path in files if not _is_installed(path) or _top(path) == _top(files[0])]
    found = follow(starts, {path.parent for path in starts})
    found.packages.update(_top(path) for path in files if path not in starts)
    return found


def follow(starts: Iterable[Path], folders: Collection[Path]) -> Dependencies:
    """The files, and what they import, file by file, where that is in one of the folders or is not installed."""
    found, todo = Dependencies(), list(starts)
    while todo:
        path = todo.pop()
        if path in found.files:
            continue
        found.files[path] = _name_of(path, folders)
        if path.suffix != ".py":
            continue
        for one in imports_in(path.read_bytes()):
            files = list(_files_imported(one, path))
            inside = [file for file in files if _is_followed(file, folders)]
            todo += inside
            top = one.module.partition(".")[0]
            if not (inside or one.level) and top not in sys.stdlib_module_names:
                found.packages.add(top)
    return found


def imports_in(source: bytes) -> Iterator[Imported]:
    """Everything that a source imports, at the top or in a function, or by a literal given to import_module."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (Imported(alias.name) for alias in names)
            case ast.ImportFrom(module=base, names=names, level=level):
                yield Imported(base or "", level, tuple(alias.name for alias in names))
            case ast.Call(
                func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(name)), *_]
            ):
                if called in ("import_module", "__import__"):
                    module = name.lstrip(".")
                    yield Imported(module, len(name) - len(module))


def same_contents(first: Mapping[str, str], second: Mapping[str, str]) -> bool:
    """Whether both hold the same files, whatever they are called."""
    return sorted(first.values()) == sorted(second.values())


def digest_of_contents(files: Iterable[Path]) -> str:
    """One SHA-256 of what the files hold, whatever they are called and wherever they lie."""
    return hashlib.sha256("".join(sorted(map(_digest, files))).encode()).hexdigest()


def digest_of_code(files: Iterable[Path]) -> str:
    """One SHA-256 of what Python files do: without imports, docstrings, comments and layout.

    So it stays the same where modules are moved and renamed, or explained in other words.
    """
    return hashlib.sha256("".join(sorted(map(_code_in, files))).encode()).hexdigest()


def _code_in(path: Path) -> str:
    """The syntax tree of a file without its imports and docstrings."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _says_nothing(one)]  # type: ignore[attr-defined]  # it has a body
    return ast.dump(tree)


def _says_nothing(node: ast.stmt) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return is_text or isinstance(node, ast.Import | ast.ImportFrom)


@functools.lru_cache(maxsize=4096)
def _digest_at(path: Path, modified: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(path: Path) -> str:
    return _digest_at(path, path.stat().st_mtime_ns)


def _files_of(function: Any) -> Iterator[Path]:
    """The files of a function and of those that it wraps: as a partial, by functools.wraps or in its closure."""
    todo, seen = [function], set()
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, functools.partial):
            todo += [one.func, *(value for value in (*one.args, *one.keywords.values()) if callable(value))]
            continue
        name = getattr(one, "__module__", None)
        place = getattr(sys.modules.get(name), "__file__", None) if isinstance(name, str) else None
        if isinstance(place, str) and Path(place).is_file():
            yield Path(place).resolve()
        todo += _wrapped_callables(one)


def _wrapped_callables(function: Any) -> Iterator[Any]:
    for cell in getattr(function, "__closure__", None) or ():
        try:
            value = cell.cell_contents
        except ValueError:  # it is not filled yet
            continue
        if callable(value):
            yield value
    if callable(wrapped := getattr(function, "__wrapped__", None)):
        yield wrapped


def _files_imported(one: Imported, path: Path) -> Iterator[Path]:
    """The files that an import statement in the file at `path` reaches, as far as they can be found."""

    def file_of(dotted: str) -> Path | None:
        return _beneath(path.parents[one.level - 1], dotted) if one.level else _absolute(dotted, path)

    inside = [file_of(f"{one.module}.{name}".lstrip(".")) for name in one.names]
    whole = file_of(one.module) if one.module or None in inside else None  # `from . import module` asks no more
    yield from (place.resolve() for place in (whole, *inside) if place is not None)


def _absolute(dotted: str, path: Path) -> Path | None:
    """The file of a module by its full name: beside the importing file's package, else where Python has it."""
    top = dotted.partition(".")[0]
    if not top or top in sys.stdlib_module_names:
        return None
    if (place := _beneath(_above_packages(path), dotted)) is not None:
        return place
    known = getattr(sys.modules.get(dotted), "__file__", None)
    if isinstance(known, str):
        return Path(known)
    if dotted == top:
        spec = importlib.util.find_spec(top)
        return Path(spec.origin) if spec is not None and spec.origin and spec.has_location else None
    above = _absolute(dotted.rpartition(".")[0], path)
    inside = above is not None and above.stem == "__init__"
    return _beneath(above.parent, dotted.rpartition(".")[2]) if above is not None and inside else None


def _beneath(folder: Path, dotted: str) -> Path | None:
    """The file of a module in a folder of packages; the package's own where the name is empty."""
    base = folder.joinpath(*dotted.split(".")) if dotted else folder
    names = [base / "__init__.py", *(base.with_name(base.name + suffix) for suffix in all_suffixes() if dotted)]
    return next((path for path in names if path.is_file()), None)


def _above_packages(path: Path) -> Path:
    folder = path.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _is_installed(path: Path) -> bool:
    return any(path.is_relative_to(place) for place in _INSTALLED)


def _is_followed(path: Path, folders: Iterable[Path]) -> bool:
    inside = any(path.is_relative_to(folder) for folder in folders)
    return inside or not (_is_installed(path) or path.is_relative_to(OWN))


def _top(path: Path) -> str:
    """The name of the package that a file is part of, or of its module."""
    return path.relative_to(_above_packages(path)).parts[0].partition(".")[0]


def _name_of(path: Path, folders: Iterable[Path]) -> str:
    own = [folder for folder in folders if path.is_relative_to(folder)]
    return path.relative_to(max(own, key=lambda one: len(one.parts)) if own else _above_packages(path)).as_posix()
