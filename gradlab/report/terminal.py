"""Output for people: where colour and width come from, and the table at the end."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gradlab.evaluation.text import visible
from gradlab.harness.run import Run
from gradlab.harness.verdict import Verdict
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.report.findings import reason, verdicts_by_dtype

SHORTEST_REASON = 10
NARROWEST = 40
WIDE = 240  # columns where the output is no terminal: a line that is piped should not be broken

_STYLES = {Verdict.WRONG: "bold red", Verdict.UNSTABLE: "red", Verdict.STABLE: "green", Verdict.ACCURATE: "bold green"}
_OPENINGS = {
    "FAIL": "bold red",
    "looks like": "bold",
    "cannot tell apart": "bold",
    "where": "bold",
    "what": "bold",
    "to do": "bold green",
    "ended after": "bold",
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
    if width is None and Console(file=stream).width < NARROWEST:  # where COLUMNS is 0
        width = NARROWEST
    return _Console(file=stream, width=width, highlight=False, markup=False, emoji=False, no_color=not stream.isatty())


def print_lines(lines: Iterable[str]) -> None:
    """Prints lines to stdout as they are; words that open a failure or an advice are coloured on a terminal."""
    console = console_for(sys.stdout)
    for line in lines:
        text = Text(visible(line))
        for opening, style in _OPENINGS.items():
            if line.startswith(opening):
                text.stylize(style, 0, len(opening))
        _print(console, text, soft_wrap=True)


def _print(console: Console, shown: Text | Table, soft_wrap: bool = False) -> None:
    """Prints to stdout, whose console this is; where nobody reads it any more, the run goes on to its end."""
    try:
        console.print(shown, soft_wrap=soft_wrap)
        sys.stdout.flush()
    except OSError:  # a pipe that nobody reads, a full disk
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for the rest of the process
        with contextlib.suppress(OSError):
            os.dup2(nowhere.fileno(), sys.stdout.fileno())  # what is buffered goes there too
        console.file = sys.stdout = nowhere


def verdict_table(runs: Sequence[Run], stated: Mapping[str, str]) -> Table:
    """One row for each run, with a column for every dtype that one of them has.

    stated: how the verdict compares with the one that is stated, by the name of the implementation; where anything is
    stated it stands in the place of whether the level is met.
    """
    used = {dtype for run in runs for dtype in run.dtypes}
    dtypes = [dtype for dtype in DTYPE_NAMES if dtype in used]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("implementation", *dtypes, "verdict", "as stated" if stated else "met"):
        table.add_column(heading, no_wrap=True)
    for heading in ("problems", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("reason", no_wrap=True)
    for run in runs:
        name, found = run.implementation.name, verdicts_by_dtype(run)
        verdicts = [_colour(found[dtype]) if dtype in found else Text("-") for dtype in dtypes]
        met = stated.get(name, "") if stated else "yes" if run.met else "no"
        figures = (f"{run.n_problems}", f"{run.seconds:.1f}")
        table.add_row(visible(name), *verdicts, _colour(run.verdict), met, *figures, Text(reason(run)))
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


def _colour(verdict: Verdict) -> Text:
    return Text(str(verdict), style=_STYLES[verdict])
