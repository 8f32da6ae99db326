"""`gradlab lab`: a site for learning numerical stability."""

from __future__ import annotations

from pathlib import Path

import click

from gradlab.cli.status import Status


@click.command(short_help="Write a site for learning numerical stability.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="gradlab-lab")
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
def lab(folder: Path, opens: bool) -> Status:
    """Write the lab to FOLDER (gradlab-lab unless said otherwise): eight pages on numerical stability.

    They open from disk, in any browser, and need no network. FOLDER must be empty, missing, or hold an earlier lab.
    """
    from gradlab.lab.folder import write

    first = write(folder)
    click.echo(f"the lab is in {first.parent}; open {first.as_uri()}")
    if opens:
        import webbrowser

        webbrowser.open(first.as_uri())
    return Status.MET
