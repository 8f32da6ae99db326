"""What calls cost, as a table for people."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from rich.table import Table
from rich.text import Text

from gradlab.measure.timing import Timing


def time_table(timings: Iterable[tuple[str, Timing]]) -> Table:
    """One row for each (name of an implementation, timing); the ratios are over exp and row sums of the same logits."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("time of", "dtype", "rows x classes"):
        table.add_column(heading, no_wrap=True)
    for heading in ("ms", "over exp and sum", "lowest", "highest", "MiB beyond gradient"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for name, timing in timings:
        shape = f"{timing.shape[0]} x {timing.shape[1]}"
        table.add_row(name, timing.dtype, shape, *_figures(timing), Text(timing.note))
    return table


def _figures(timing: Timing) -> tuple[str, ...]:
    if timing.seconds is None or timing.n_bytes is None:
        return ("-",) * 5
    ratios = (median(timing.ratios), min(timing.ratios), max(timing.ratios))
    return (f"{1000 * timing.seconds:.3g}", *(f"{ratio:.3g}" for ratio in ratios), f"{timing.n_bytes / 2**20:.2f}")
