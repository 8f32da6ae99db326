"""A function of the generated modules, and how it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LONGEST = 120  # letters in a line


@dataclass(frozen=True)
class Routine:
    """A function to be printed: its signature, the first line of its docstring, and its lines of code."""

    signature: str
    says: str
    lines: Sequence[str]


def identifier(name: str) -> str:
    """A name as an identifier."""
    return name.replace("-", "_")


def source_of(routine: Routine, decorator: str) -> str:
    """The source of a function, its signature broken where it is too long for a line."""
    body = "\n".join(f"    {line}" for line in routine.lines)
    first = f"def {routine.signature}:"
    if len(first) > LONGEST:  # as ruff would break it
        opening, closing = first.index("(") + 1, first.rindex(") ->")
        first = f"{first[:opening]}\n    {first[opening:closing]}\n{first[closing:]}"
    return f'{decorator}{first}\n    """{routine.says}"""\n{body}\n'


def table(name: str, entries: Iterable[str], kind: str, prefix: str = "") -> str:
    """The source of a table of functions, each named as its entry is, after the prefix."""
    rows = "".join(f'    "{entry}": {prefix}{identifier(entry)},\n' for entry in entries)
    return f"{name}: dict[str, {kind}] = {{\n{rows}}}\n"
