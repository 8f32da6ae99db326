"""`gradlab cases`: the problems that are kept, and removing them."""

from __future__ import annotations

from pathlib import Path

import click

from gradlab.cli.kept import cases_option
from gradlab.cli.status import Status


@click.command(short_help="How many problems are kept, or none any more.")
@cases_option("The folder in which they are kept.")
@click.option("--clear", is_flag=True, help="Remove them.")
def cases(cases: Path, clear: bool) -> Status:
    """Print how many failing problems are kept, and how large they are; with --clear, remove them.

    There stay 20 of each function at most, and 50 MiB in all: the oldest go first.
    """
    from gradlab.cases.cases import kept_files
    from gradlab.isolation.limits import spelled_bytes
    from gradlab.storage.files import writing

    with writing():
        files = kept_files(cases)
        n_bytes = sum(path.stat().st_size for path in files)
        for path in files if clear else ():
            path.unlink(missing_ok=True)
    kept = f"{len(files)} {'case' if len(files) == 1 else 'cases'} in {cases}, {spelled_bytes(n_bytes)}"
    click.echo(f"removed: {kept}" if clear else kept)
    return Status.MET
