"""What is printed for people, where standard output is for a machine."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from gradlab.storage.files import is_standard_output


def print_beside(path: Path | None) -> None:
    """Has the running command print to stderr where its document goes to stdout, as with `--json /dev/stdout`."""
    if path is not None and is_standard_output(path):
        click.get_current_context().with_resource(contextlib.redirect_stdout(sys.stderr))
