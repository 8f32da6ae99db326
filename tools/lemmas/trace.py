"""What an implementation has in its hands on the way: the local variables of its functions, as each of them returns.

So the proof is asked of the code that runs, not of a copy of it; a variable that is renamed is missed at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import numpy as np

from tools.lemmas.row import Array, Row

Locals = dict[str, Any]


class NotLevelError(Exception):
    """Equal logits got unlike answers, so that one cannot stand for all; says where."""


class Trace:
    """The locals of each call, by "function" or "caller>function", in the order of the returns.

    Of arrays over the classes only the entries at `row.places` are kept, and the label's, last.
    """

    def __init__(self, row: Row) -> None:
        self._row, self._calls = row, dict[str, list[Locals]]()
        self._places = np.append(row.places, row.label)

    def add(self, frame: FrameType, returned: Any) -> None:
        """Keeps the locals of a frame that returns, and what it returns as the parts of "return"."""
        name, caller = frame.f_code.co_name, frame.f_back.f_code.co_name if frame.f_back else ""
        kept = {key: self._kept(value) for key, value in frame.f_locals.items()}
        parts = returned if isinstance(returned, tuple) else (returned,)
        kept["return"] = [self._kept(value) for value in parts]
        for key in (name, f"{caller}>{name}"):
            self._calls.setdefault(key, []).append(kept)

    def of(self, name: str, place: int = 0) -> Locals:
        """The locals of a call. Raises KeyError where there was none."""
        return self._calls[name][place]

    def number_of(self, name: str) -> int:
        """How often it was called."""
        return len(self._calls.get(name, []))

    def _kept(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            return value
        if value.shape[-1:] == (self._row.n_classes,) and value.ndim == 2:
            return value[0, self._places].astype(np.float64)
        return value.reshape(-1)[:1].astype(np.float64)


def trace_of(function: Callable[..., Any], row: Row) -> tuple[Trace, Any]:
    """The locals of the functions in `function`'s module and in _compensated, and what it returns."""
    found, folder = Trace(row), _folder(function)

    def watch(frame: FrameType, event: str, returned: Any) -> None:
        if event == "return" and frame.f_code.co_filename.startswith(folder):
            found.add(frame, returned)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        answer = function(*row.batch())
    finally:
        sys.setprofile(before)
    return found, answer


def require_level(row: Row, gradient: Array) -> None:
    """Raises NotLevelError where equal logits have unlike entries, but for the label's."""
    of_row = np.delete(gradient[0], row.label)
    expected = np.repeat(gradient[0, row.places], row.n_others)
    if not np.array_equal(of_row, expected):
        raise NotLevelError(f"unlike entries of equal logits in a row of {row.n_classes} classes")


def _folder(function: Callable[..., Any]) -> str:
    code: CodeType = getattr(function, "__wrapped__", function).__code__
    return code.co_filename.rpartition("/")[0]
