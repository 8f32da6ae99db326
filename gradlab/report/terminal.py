"""Output for people: where colour and width come from, and the table at the end."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gradlab.harness.run import Report
from gradlab.harness.verdict import Verdict
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.report.findings import reason, verdicts_by_dtype

SHORTEST_REASON = 10
WIDE = 240  # columns where the output is no terminal: a line that is piped should not be broken

_STYLES = {Verdict.WRONG: "bold red", Verdict.UNSTABLE: "red", Verdict.STABLE: "green", Verdict.ACCURATE: "bold green"}
_OPENINGS = {
    "FAIL": "bold red",
    "looks like": "bold",
    "cannot tell apart": "bold",
    "advice": "yellow",
    "not tried": "yellow",
    "not accurate": "yellow",
    "power": "bold",
}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leaves it to whoever prints, where rich would end the process."""
        raise BrokenPipeError


def console_for(stream: TextIO) -> Console:
    """A console that colours and folds for a terminal only; everything else gets plain lines, WIDE columns wide."""
    width = None if stream.isatty() else WIDE
    return _Console(file=stream, width=width, highlight=False, markup=False, emoji=False, no_color=not stream.isatty())


def print_lines(lines: Iterable[str]) -> None:
    """Prints lines to stdout as they are; words that open a failure or an advice are coloured on a terminal."""
    console = console_for(sys.stdout)
    for line in lines:
        text = Text(line)
        for opening, style in _OPENINGS.items():
            if line.startswith(opening):
                text.stylize(style, 0, len(opening))
        _print(console, text, soft_wrap=True)


def _print(console: Console, what: Text | Table, soft_wrap: bool = False) -> None:
    """Prints to stdout, whose console this is; where nobody reads it any more, the run goes on to its end."""
    try:
        console.print(what, soft_wrap=soft_wrap)
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for the rest of the process
        with contextlib.suppress(OSError):
            os.dup2(nowhere.fileno(), sys.stdout.fileno())  # what is buffered goes there too
        console.file = sys.stdout = nowhere


@dataclass(frozen=True)
class Row:
    """What the table says of one report: plain data, which may come from another process."""

    name: str
    verdicts: Mapping[str, Verdict]
    verdict: Verdict
    met: str
    n_problems: int
    seconds: float
    reason: str


def row_of(report: Report, met: str) -> Row:
    """The row of a report; met: what to say of the level, or of the verdict that is stated."""
    name, each = report.implementation.name, verdicts_by_dtype(report)
    return Row(name, each, report.verdict, met, report.n_problems, report.seconds, reason(report))


def verdict_table(reports: Sequence[Report], stated: Mapping[str, str]) -> Table:
    """One row for each report; with a column `as stated` if anything is stated, by the name of the implementation."""
    met = {report.implementation.name: "yes" if report.met else "no" for report in reports}
    said = {name: stated.get(name, "") for name in met} if stated else met
    rows = [row_of(report, said[report.implementation.name]) for report in reports]
    return table_of(rows, "as stated" if stated else "met")


def table_of(rows: Sequence[Row], heading_of_met: str) -> Table:
    """The table of these rows, with a column for every dtype that one of them has."""
    used = {dtype for row in rows for dtype in row.verdicts}
    dtypes = [dtype for dtype in DTYPE_NAMES if dtype in used]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("implementation", *dtypes, "verdict", heading_of_met):
        table.add_column(heading, no_wrap=True)
    for heading in ("problems", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("reason", no_wrap=True)
    for row in rows:
        verdicts = [_coloured(row.verdicts[dtype]) if dtype in row.verdicts else Text("-") for dtype in dtypes]
        figures = (f"{row.n_problems}", f"{row.seconds:.1f}")
        table.add_row(row.name, *verdicts, _coloured(row.verdict), row.met, *figures, Text(row.reason))
    return table


def print_table(table: Table) -> None:
    """Prints a table to stdout; where it is too wide, its last column is cut."""
    console = console_for(sys.stdout)
    widths = [max(map(cell_len, [str(column.header), *map(str, column.cells)])) for column in table.columns]
    room = console.width - sum(widths[:-1]) - 2 * (len(widths) - 1)
    for cell in table.columns[-1].cells:
        if isinstance(cell, Text) and room >= SHORTEST_REASON:
            cell.truncate(room, overflow="ellipsis")
    _print(console, table)


def _coloured(verdict: Verdict) -> Text:
    return Text(str(verdict), style=_STYLES[verdict])
