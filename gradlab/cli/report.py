"""`gradlab report`: reports that were written as JSON, as pages and other files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gradlab.cli.outputs import output_faults
from gradlab.cli.status import Status
from gradlab.cli.written import written_given, written_options


@click.command(short_help="Earlier reports as a page, side by side.")
@click.argument("reports", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="JSON...")
@written_options
def report(reports: tuple[Path, ...], **given: Any) -> Status:
    """Write the reports JSON..., which `gradlab check --json` wrote, as a page or as another file.

    Several reports, or one on several implementations, stand side by side. Nothing is run.
    """
    from gradlab.compare.comparison import ReportError, read_report

    written = written_given(given)
    if not written:
        raise click.UsageError("give --html, --junit, --sarif or --summary, with a FILE")
    if faults := output_faults(written.paths()):
        raise click.UsageError("\n".join(faults))
    try:
        documents = [read_report(path) for path in reports]
    except ReportError as error:
        raise click.UsageError(str(error)) from error
    written.write(documents)
    for path in written.paths():
        click.echo(f"wrote {path}", err=True)
    return Status.MET
