"""Results that are kept between runs, each in a file of its own, under the digest of all that it depends on.

A file that is damaged, or belongs to another key, counts as missing. Files are written whole, so that two processes
may keep the same result at the same time; the oldest go when all have more than MAX_BYTES.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import json
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gradlab.measure.machine import numpy_simd, processor
from gradlab.storage.files import strict_json, write_whole

FOLDER = "GRADLAB_CACHE"  # the environment variable that names the folder; "off" keeps nothing
MAX_BYTES = 100 * 2**20  # a power has 4 KB, the problems drawn for a quick run 60 KB, for a thorough one 20 MB
PACKAGES = ("numpy", "python-flint", "hypothesis")
OWN = Path(__file__).parents[1]


@dataclass(frozen=True)
class Signature:
    """What changes with a file: its inode, its size, and when it was last changed, which nobody can set back."""

    inode: int
    size: int
    changed: int


_trusted: list[dict[str, Signature]] = []  # by name the files that may be read, of each context that says so


@contextlib.contextmanager
def only_what_is_there_trusted() -> Iterator[None]:
    """A context in which code under test may write into the folder: what others write there counts for nothing.

    At the end it is removed; this process's own files stay.
    """
    folder = cache_folder()
    _trusted.append(_signatures(folder))
    try:
        yield
    finally:
        known = _trusted.pop()
        for name, signature in _signatures(folder).items():
            if known.get(name) != signature and folder is not None:
                with contextlib.suppress(OSError):
                    (folder / name).unlink()


def _signatures(folder: Path | None) -> dict[str, Signature]:
    if folder is None:
        return {}
    return {path.name: _signature(path.lstat()) for path in folder.glob("*.json") if os.path.lexists(path)}


def _signature(found: os.stat_result) -> Signature:
    return Signature(found.st_ino, found.st_size, found.st_ctime_ns)


def _note_own(path: Path) -> None:
    for known in _trusted:
        known[path.name] = _signature(path.lstat())


def from_cache(name: str, parameters: str, work_out: Callable[[], Any]) -> Any:
    """The JSON document that work_out() returns: from the cache if it is there, else worked out and kept.

    name: what it is, such as "power". parameters: all that it depends on besides gradlab's own code, the packages and
    the machine, which are part of the key. Where nothing can be read or written it is worked out.
    """
    return from_cache_under("\n".join([name, parameters, _code(), machine_and_packages()]), name, work_out)


def from_cache_under(key: str, name: str, work_out: Callable[[], Any]) -> Any:
    """As `from_cache`, for what depends on less than the whole of gradlab's code. key: all that it depends on."""
    folder = cache_folder()
    if folder is None:
        return work_out()
    digest = hashlib.sha256(key.encode()).hexdigest()
    path = folder / f"{name}-{digest[:32]}.json"
    found = _read(path, digest)
    if found is None:
        found = work_out()
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, strict_json({"key": digest, "digest": _digest(found), "document": found}))
            _note_own(path)
            _drop_oldest(folder)
    return found


def cache_folder() -> Path | None:
    """Where results are kept: in $GRADLAB_CACHE, else in the user's folder of caches; None where that is "off"."""
    named = os.environ.get(FOLDER, "")
    if named == "off":
        return None
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME", "")
    with contextlib.suppress(RuntimeError):  # no home
        return (Path(base) if base else Path.home() / ".cache") / "gradlab"
    return None


def _read(path: Path, key: str) -> Any:
    """The document in a file, or None where there is none, or where it is damaged."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        with path.open(encoding="utf-8") as file:
            signature = _signature(os.fstat(file.fileno()))
            if any(known.get(path.name) != signature for known in _trusted):
                return None
            kept = json.load(file)
        if kept["key"] == key and kept["digest"] == _digest(kept["document"]):
            return kept["document"]
    return None


def _drop_oldest(folder: Path) -> None:
    """Removes the oldest files until the others have MAX_BYTES at most."""
    files = [(path.stat().st_mtime_ns, path.stat().st_size, path) for path in folder.glob("*.json")]
    total = 0
    for _, size, path in sorted(files, reverse=True):
        total += size
        if total > MAX_BYTES:
            path.unlink(missing_ok=True)


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


@functools.cache
def machine_and_packages() -> str:
    """The packages that answers depend on, with their versions, and the machine."""
    packages = [f"{package} {version(package)}" for package in PACKAGES]
    return "\n".join([*packages, platform.python_version(), str(processor("model name")), str(numpy_simd())])


@functools.cache
def _code() -> str:
    """A digest of gradlab's own files, by content."""
    shipped = importlib.util.find_spec("gradlab.implementations")
    folders = {Path(one).resolve() for one in (OWN, *((shipped and shipped.submodule_search_locations) or ()))}
    walks = [entry for folder in folders for entry in os.walk(folder)]  # resolving each file takes most of the time
    code = hashlib.sha256()
    for path in sorted({os.path.join(place, name) for place, _, names in walks for name in names}):
        if path.endswith(".py"):
            with open(path, "rb") as file:
                code.update(file.read())
    return code.hexdigest()
