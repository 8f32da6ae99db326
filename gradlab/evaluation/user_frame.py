"""Where in the user's code something happened."""

from __future__ import annotations

import os
import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path


def place_of(error: BaseException) -> str:
    """The innermost line of the user's code that an exception passed, as " (file.py, line 7)"; "" if there is none.

    Code of gradlab's own, of the import system and of libraries does not count, libraries only if there is other code.
    """
    return place_in([(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)])


def place_in(frames: Iterable[tuple[str, int]]) -> str:
    """The same for frames, outermost first, each with its file and line."""
    foreign = [frame for frame in frames if not _is_own(frame[0])]
    theirs = [frame for frame in foreign if not frame[0].startswith(_LIBRARIES)] or foreign
    return f" ({Path(theirs[-1][0]).name}, line {theirs[-1][1]})" if theirs else ""


_OWN = str(Path(__file__).parents[1]) + os.sep
_SHIPPED = str(Path(__file__).parents[1] / "implementations") + os.sep
_LIBRARIES = tuple({str(Path(path)) + os.sep for path in sysconfig.get_paths().values()})


def _is_own(filename: str) -> bool:
    own = filename.startswith(_OWN) and not filename.startswith(_SHIPPED)
    return own or filename.startswith("<") or f"{os.sep}importlib{os.sep}" in filename
