"""Output for people: where colour and width come from, and the table at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
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


def console_for(stream: TextIO) -> Console:
    """A console that colours and folds for a terminal only; everything else gets plain lines, WIDE columns wide."""
    width = None if stream.isatty() else WIDE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, no_color=not stream.isatty())


def print_lines(lines: Iterable[str]) -> None:
    """Prints lines to stdout as they are; words that open a failure or an advice are coloured on a terminal."""
    console = console_for(sys.stdout)
    for line in lines:
        text = Text(line)
        for opening, style in _OPENINGS.items():
            if line.startswith(opening):
                text.stylize(style, 0, len(opening))
        console.print(text, soft_wrap=True)


def verdict_table(reports: Sequence[Report], stated: Mapping[str, str]) -> Table:
    """One row for each report; with a column `as stated` if anything is stated, by the name of the implementation."""
    used = {dtype for report in reports for dtype in report.dtypes}
    dtypes = [dtype for dtype in DTYPE_NAMES if dtype in used]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("implementation", *dtypes, "verdict", "as stated" if stated else "met"):
        table.add_column(heading, no_wrap=True)
    for heading in ("problems", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("reason", no_wrap=True)
    for report in reports:
        name = report.implementation.name
        each = verdicts_by_dtype(report)
        verdicts = [_coloured(each[dtype]) if dtype in each else Text("-") for dtype in dtypes]
        met = stated.get(name, "") if stated else ("yes" if report.met else "no")
        figures = (f"{report.n_problems}", f"{report.seconds:.1f}")
        table.add_row(name, *verdicts, _coloured(report.verdict), met, *figures, Text(reason(report)))
    return table


def print_table(table: Table) -> None:
    """Prints a table to stdout; where it is too wide, its last column is cut."""
    console = console_for(sys.stdout)
    widths = [max(map(cell_len, [str(column.header), *map(str, column.cells)])) for column in table.columns]
    room = console.width - sum(widths[:-1]) - 2 * (len(widths) - 1)
    for cell in table.columns[-1].cells:
        if isinstance(cell, Text) and room >= SHORTEST_REASON:
            cell.truncate(room, overflow="ellipsis")
    console.print(table)


def _coloured(verdict: Verdict) -> Text:
    return Text(str(verdict), style=_STYLES[verdict])
