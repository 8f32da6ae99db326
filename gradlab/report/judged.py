"""All that is told of one implementation, as plain data that may come from another process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gradlab.harness.run import Report
from gradlab.measure.timing import Timing
from gradlab.report.findings import Failures, told
from gradlab.report.json import Entry, entry_of
from gradlab.report.terminal import Row, row_of


@dataclass(frozen=True)
class Judged:
    """What a report comes to.

    row: of the table. lines: all that is said of it. entry: of the report as JSON. cases: the files of the failing
    problems, by name and text. met: whether the level asked for is. n_results: how many checks had something to say.
    """

    row: Row
    lines: tuple[str, ...]
    entry: Entry
    timings: tuple[Timing, ...]
    cases: tuple[tuple[str, str], ...]
    met: bool
    n_results: int

    @property
    def name(self) -> str:
        """The name of the implementation."""
        return self.row.name


def judged_as(report: Report, every_failure: Failures, cases: Iterable[tuple[str, str]]) -> Judged:
    """What a report comes to; every_failure: `all_failures` or `few_failures`; cases: of its failing problems."""
    row = row_of(report, "yes" if report.met else "no")
    lines, n_results = tuple(told(report, every_failure)), len(report.lines)
    return Judged(row, lines, entry_of(report), report.timings, tuple(cases), report.met, n_results)
