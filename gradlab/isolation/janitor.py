"""The process that tidies up when the one that started workers is gone, by SIGKILL too: their processes and folders.

It is run as a file, `python janitor.py`, and needs the standard library alone. On its standard input it is told of
workers, a line of JSON each; where that ends, so does whoever wrote it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

MARK = "GRADLAB_WORKER"  # the environment variable by which all that a worker starts is known, in whatever session
MAX_ROUNDS = 20  # of looking for processes: what starts new ones faster than they end is given up


def end_processes(leader: int, mark: str) -> None:
    """Ends a worker's group, and where there is /proc every process of its mark. The leader need not live any more."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for _ in range(MAX_ROUNDS):
        found = [process for process in _marked(mark) if process != os.getpid()]
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        if not found:
            return


def _marked(mark: str) -> Iterator[int]:
    """The processes whose environment has the mark; one that has ended has none."""
    wanted = f"{MARK}={mark}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (place / "environ").read_bytes().split(b"\0"):
                yield int(place.name)


def main() -> None:
    """Remembers the workers that begin, forgets those that end, and tidies up after the rest."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    there: dict[str, tuple[int, str]] = {}
    for line in sys.stdin:
        told = json.loads(line)
        if told["leader"]:
            there[told["mark"]] = (told["leader"], told["folder"])
        else:
            there.pop(told["mark"], None)
    for mark, (leader, folder) in there.items():
        end_processes(leader, mark)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
