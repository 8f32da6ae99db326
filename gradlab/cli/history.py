"""`gradlab history`: the reports of many commits as one page."""

from __future__ import annotations

from pathlib import Path

import click

from gradlab.cli.outputs import output_faults
from gradlab.cli.status import Status


@click.command(short_help="Many commits as lines on a page.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--html", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The page to write.")
def history(folder: Path, html: Path) -> Status:
    """Draw the reports in FOLDER, which `gradlab check --json` wrote, one for each commit, as lines.

    The page says at which commit a verdict, a check, an error or a time changed. A report is called by its file: best
    the name of the commit, so that git says the order; elsewhere it is that of the names. Results of asv that lie in
    the folder, or in folders in it, are drawn too.
    """
    from gradlab.pages.history import history_page
    from gradlab.pages.past import read_past
    from gradlab.storage.files import write_whole, writing

    if faults := output_faults([html]):
        raise click.UsageError("\n".join(faults))
    past = read_past(folder)
    if not (past.moments or past.measured):
        raise click.UsageError("\n".join([f"{folder} has no report of gradlab check --json", *past.ignored[:3]]))
    with writing():
        write_whole(html, history_page(past))
    unread = f"; not read: {'; '.join(past.ignored)}" if past.ignored else ""
    click.echo(f"wrote {html}: reports {len(past.moments)}, results of asv {len(past.measured)}{unread}", err=True)
    return Status.MET
