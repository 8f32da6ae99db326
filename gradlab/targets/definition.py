"""Where a function under test is defined: its file and line."""

from __future__ import annotations

import functools
import inspect
import os
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from gradlab.targets.prefixes import LAYER, split_prefix


@dataclass(frozen=True)
class Definition:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def encode(self) -> dict[str, Any]:
        """As plain data, the file by its path from the current folder where it lies in it."""
        here, found = Path.cwd().resolve(), Path(self.file)
        inside = found.relative_to(here).as_posix() if found.is_relative_to(here) else self.file
        return {"file": inside, "line": self.line}


def definition_of(function: Any, target: str) -> Definition | None:
    """The place of a plain Python function that is the target itself; of one behind an adapter there is none."""
    function = function.func if isinstance(function, functools.partial) else function
    is_adapted = bool(split_prefix(target.removeprefix(LAYER))[0])
    if not isinstance(function, FunctionType) or is_adapted:
        return None
    code = inspect.unwrap(function, stop=lambda one: not isinstance(one, FunctionType)).__code__
    file = Path(code.co_filename)
    if not file.is_file():
        return None
    return Definition(os.fspath(file.resolve()), code.co_firstlineno)
