"""Where a run is, on stderr: live while it is a terminal, a line now and then otherwise."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from gradlab.evaluation.text import visible
from gradlab.harness.plan import Progress, Watch

SECONDS_BETWEEN_LINES = 10.0


@contextlib.contextmanager
def show_progress(name: str) -> Iterator[Watch]:
    """A function to be told where the run of implementation `name` is; the display is gone when the run is over."""
    if not sys.stderr.isatty():
        yield now_and_then(sys.stderr)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Display

    from gradlab.report.terminal import console_for

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
    with Display(*columns, console=console_for(sys.stderr), transient=True) as display:
        task, noticed = display.add_task(name, total=None), Notices()

        def watch(progress: Progress) -> None:
            noticed(progress, display.console.print)
            said = visible(f"{progress.name}  {progress.dtype}  {progress.phase}")
            display.update(task, description=said, completed=progress.done, total=progress.total)

        yield watch


class Notices:
    """Tells each notice once, of the run on one implementation."""

    def __init__(self) -> None:
        self._told = ""

    def __call__(self, progress: Progress, say: Callable[[str], None]) -> None:
        if progress.notice not in ("", self._told):
            self._told = progress.notice
            say(visible(f"{progress.name}: {progress.notice}"))


def now_and_then(stream: TextIO, clock: Callable[[], float] = time.monotonic) -> Watch:
    """A function that writes where the run is as a line, once in ten seconds: a log shows that it is alive."""
    started = last = clock()
    noticed = Notices()

    def watch(progress: Progress) -> None:
        nonlocal last
        noticed(progress, lambda line: print(line, file=stream, flush=True))
        now = clock()
        if now - last < SECONDS_BETWEEN_LINES:
            return
        last = now
        done = f"{progress.done} of {progress.total}"
        print(
            visible(f"{progress.name} {progress.dtype}: {progress.phase}, {done}, {now - started:.0f} s"),
            file=stream,
            flush=True,
        )

    return watch
