"""`python -m gradlab` is the command `gradlab`."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command given on the command line, and exits; also an interrupt while it is loaded ends it quietly."""
    before = signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))
    from gradlab.cli import main as run_command

    signal.signal(signal.SIGINT, before)
    run_command()


def _put_current_folder_last() -> None:
    """`python -m` looks for modules in the current folder first: a json.py there must not stand in for Python's."""
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):
        sys.path.append(sys.path.pop(0))


if __name__ == "__main__":
    _put_current_folder_last()
    main()
