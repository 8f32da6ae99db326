"""What calls cost, as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from rich.table import Table
from rich.text import Text

from gradlab.measure.timing import Timing


@dataclass(frozen=True)
class Headings:
    """What a table of one scope is headed by: how many sizes a shape has, their names, what times are compared with."""

    n_sizes: int
    sizes: str
    yardstick: str
    memory: str


LOGITS = Headings(2, "rows x classes", "over exp and sum", "MiB beyond gradient")
LAYERS = Headings(3, "rows x features x classes", "over products, exp and sum", "MiB beyond outputs")


def time_tables(timings: Iterable[tuple[str, Timing]]) -> Iterator[Table]:
    """A table of losses of logits, and one of layers, as far as there are any.

    One row for each (name of an implementation, timing).
    """
    given = list(timings)
    for headings in (LOGITS, LAYERS):
        own = [one for one in given if len(one[1].shape) == headings.n_sizes]
        if own:
            yield _table(headings, own)


def _table(headings: Headings, timings: Iterable[tuple[str, Timing]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("time of", "dtype", headings.sizes):
        table.add_column(heading, no_wrap=True)
    for heading in ("ms", headings.yardstick, "lowest", "highest", headings.memory):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for name, timing in timings:
        shape = " x ".join(map(str, timing.shape))
        table.add_row(name, timing.dtype, shape, *_figures(timing), Text(timing.note))
    return table


def _figures(timing: Timing) -> tuple[str, ...]:
    if timing.seconds is None or timing.n_bytes is None:
        return ("-",) * 5
    ratios = (median(timing.ratios), min(timing.ratios), max(timing.ratios))
    return (f"{1000 * timing.seconds:.3g}", *(f"{ratio:.3g}" for ratio in ratios), f"{timing.n_bytes / 2**20:.2f}")
