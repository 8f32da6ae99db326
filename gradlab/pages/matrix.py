"""The table of checks and dtypes: what each check came to in each dtype, in a word and a glyph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradlab.checks.layer.table import LAYER_CHECKS
from gradlab.checks.table import CHECKS
from gradlab.problems.dtypes import DTYPE_NAMES

Plain = Mapping[str, Any]
VERDICTS = ("wrong", "unstable", "stable", "accurate")


@dataclass(frozen=True)
class Cell:
    """state: passes, fails, advice or untried, which is also the class that is coloured. count: problems, in words."""

    state: str
    glyph: str
    count: str


@dataclass(frozen=True)
class Row:
    """One check: its name, what it holds, and a cell for each dtype."""

    check: str
    holds: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Group:
    """Checks of one kind."""

    name: str
    dtypes: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def fails(self) -> int:
        return sum(any(cell.state == "fails" for cell in row.cells) for row in self.rows)


UNTRIED = Cell("untried", "–", "not tried")


def matrix_of(entry: Plain) -> tuple[Group, ...]:
    """The groups of checks of an implementation, those with failures first."""
    dtypes = tuple(dtype for dtype in DTYPE_NAMES if dtype in entry["dtypes"])
    results = {(one["check"], one["dtype"]): one for one in entry["results"]}
    groups: dict[str, dict[str, None]] = {}
    for one in entry["results"]:
        groups.setdefault(one["group"], {})[one["check"]] = None
    found = [
        Group(name, dtypes, tuple(_row(check, dtypes, results, entry) for check in checks))
        for name, checks in groups.items()
    ]
    return tuple(sorted(found, key=lambda group: -group.fails))


def _row(check: str, dtypes: tuple[str, ...], results: Mapping[tuple[str, str], Plain], entry: Plain) -> Row:
    cells = tuple(_cell(results.get((check, dtype)), entry["level"]) for dtype in dtypes)
    return Row(check, holds(check), cells)


def holds(check: str) -> str:
    """What holds where a check passes, in a sentence; "" for a check of another version."""
    for one in (*CHECKS, *LAYER_CHECKS):
        if one.name == check:
            return " ".join((one.function.__doc__ or "").split("\n\n")[0].split())
    return ""


def _cell(result: Plain | None, level: str) -> Cell:
    if result is None:
        return UNTRIED
    if result["passed"]:
        return Cell("passes", "✓", f"{result['n_problems']}")
    count = f"{result['n_failed']} of {result['n_problems']}"
    return Cell("fails", "✗", count) if is_held(result, level) else Cell("advice", "!", count)


def is_held(result: Plain, level: str) -> bool:
    """Whether a check failed, and that keeps the verdict below the level."""
    return not result["passed"] and not result["advice"] and result["verdict"] in VERDICTS[: VERDICTS.index(level)]
