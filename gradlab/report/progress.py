"""Where a run is, live on stderr while it is a terminal; nothing otherwise."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Display

from gradlab.harness.run import Progress, Watch
from gradlab.report.terminal import console_for


@contextlib.contextmanager
def shown(name: str) -> Iterator[Watch]:
    """A function to be told where the run of implementation `name` is; the display is gone when the run is over."""
    if not sys.stderr.isatty():
        yield _unseen
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
    with Display(*columns, console=console_for(sys.stderr), transient=True) as display:
        task = display.add_task(name, total=None)

        def watch(progress: Progress) -> None:
            said = f"{progress.name}  {progress.dtype}  {progress.phase}"
            display.update(task, description=said, completed=progress.done, total=progress.total)

        yield watch


def _unseen(progress: Progress) -> None:
    return None
