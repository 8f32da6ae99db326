"""A function under test in another process, as the one that judges has it: what it says of itself, and its calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradlab.evaluation.text import visible
from gradlab.judged.process import Place
from gradlab.judged.values import decode_value
from gradlab.targets.definition import Definition

MAX_SAID = 1000  # lines that one call prints, and changes that it makes
MAX_LINE = 10_000  # characters


@dataclass(frozen=True)
class Signed:
    """What a function says of itself: its name, the module where it can be imported under it, or "", the keywords that
    it has been given for all calls, the names of its parameters, and where it is defined; None where it is not known.
    """

    name: str
    module: str
    keywords: Mapping[str, Any]
    parameters: list[str] | None
    definition: Definition | None


class RemoteFunction:
    """A function under test in another process, with its name and its parameters there.

    call: makes a call there, of arguments and keywords. measure: what calls of some dtypes cost there, as plain data.
    place: where there is.
    """

    __signature__: inspect.Signature

    def __init__(
        self,
        signed: Signed,
        call: Callable[[tuple[Any, ...], Mapping[str, Any]], Any],
        measure: Callable[[Sequence[str]], list[Any]],
        place: Place,
    ) -> None:
        self._call, self.measure, self.place = call, measure, place
        self.module, self.keywords, self.definition = signed.module, signed.keywords, signed.definition
        self.__name__ = self.__qualname__ = signed.name
        if signed.parameters is not None:
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            self.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in signed.parameters])

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._call(arguments, keywords)


def signed_from(plain: Mapping[str, Any]) -> Signed:
    """What a process says of a function of its own. Raises ValueError, TypeError and KeyError."""
    name, module = lines_of([plain["name"], plain["module"]])
    keywords = {key: decode_value(value, _no_array) for key, value in plain["keywords"].items()}
    parameters = None if plain["parameters"] is None else lines_of(plain["parameters"])
    return Signed(name, module, keywords, parameters, _definition(plain["definition"]))


def _definition(said: Any) -> Definition | None:
    """A file and a line, or None. Raises ValueError for anything else."""
    if said is None:
        return None
    file, line = said
    if not isinstance(line, int) or line < 1:
        raise ValueError(f"a line must be a number of at least 1, is {line!r:.40}")
    (named,) = lines_of([file])
    return Definition(named, line)


def _no_array(plain: list[Any]) -> Any:
    raise ValueError(f"it must be a plain value, is of kind {plain[0]!r:.40}")


def lines_of(said: Any) -> list[str]:
    """Texts, cut, without what commands a terminal. Raises ValueError for anything else."""
    if not isinstance(said, list) or not all(isinstance(line, str) for line in said):
        raise ValueError("what a process says must be texts")
    return [visible(line[:MAX_LINE]) for line in said[:MAX_SAID]]
