"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

MAX_NAME = 200  # letters of a path in a message
CASES = Path(".gradlab") / "cases"  # where failing problems are kept, unless said otherwise


class OutputError(Exception):
    """Why something cannot be written: one line, for people."""


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """A context in which what cannot be written raises OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write: {error}") from error


def write_whole(path: Path, text: str) -> None:
    """Writes text to path in one step: whoever looks sees the old file or the new one, also after Ctrl-C.

    A pipe or a device is written to directly, and so is what standard output goes to. Raises OSError.
    """
    if is_standard_output(path):
        with open(1, "w", encoding="utf-8", closefd=False) as stream:
            stream.write(text)
        return
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    path = path.resolve()  # but for those: the link of a pipe leads to no name
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def is_standard_output(path: Path) -> bool:
    """Whether a path leads to what standard output goes to, as /dev/stdout does."""
    try:
        return os.path.samestat(path.stat(), os.fstat(1)) and not path.samefile(os.devnull)
    except (OSError, ValueError):
        return False


def output_fault(path: Path) -> str | None:
    """Why a file cannot be written, or None; found out by writing beside it, before anything long is begun."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            return None
        place = path.resolve()
        if place.is_dir():
            return f"{shorten(path)} cannot be written: it is a folder"
        if not place.parent.is_dir():
            return f"{shorten(path)} cannot be written: there is no folder {shorten(place.parent)}"
        if place.exists():
            place.open("a").close()
        with tempfile.NamedTemporaryFile(prefix=f".{place.name}.", dir=place.parent):
            return None
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a name with a null
        return f"{shorten(path)} cannot be written: {getattr(error, 'strerror', None) or error}"


def shorten(path: Path) -> str:
    """A path for people: its end, where it is long."""
    return str(path) if len(str(path)) <= MAX_NAME else f"...{str(path)[-MAX_NAME:]}"


def folder_fault(folder: Path) -> str | None:
    """Why files cannot be kept in a folder, which need not exist yet, or None."""
    try:
        existing = folder.resolve()
        while not existing.exists():
            existing = existing.parent
        if not existing.is_dir():
            return f"{shorten(folder)} cannot be written: {shorten(existing)} is no folder"
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a name with a null or too many letters
        return f"{shorten(folder)} cannot be written: {getattr(error, 'strerror', None) or error}"
    denied = not os.access(existing, os.W_OK | os.X_OK)
    return f"{shorten(folder)} cannot be written: Permission denied" if denied else None


def strict_json(document: Any) -> str:
    """A document as strict JSON, one entry or one innermost list a line. Raises ValueError for NaN and infinities."""
    text = json.dumps(document, indent=1, allow_nan=False)
    return _SCALARS.sub(lambda match: f"[{' '.join(line.strip() for line in match[1].splitlines())}]", text) + "\n"


# A list of scalars over several lines. A string holds no line feed in JSON, so none can look like one.
_SCALARS = re.compile(r"\[\n([^\[\]{}]*)\n *\]")


def parsed_json(text: str) -> Any:
    """The document in a strict JSON text. Raises ValueError, for NaN, infinities and keys given twice too."""
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(name: str) -> None:
    raise ValueError(f"strict JSON has no {name}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def keep_texts(texts: Iterable[tuple[str, str]], folder: Path) -> int:
    """Writes files into a folder, which is made if there are any; their number. Raises OSError."""
    count = 0
    for name, text in texts:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, text)
        count += 1
    return count
