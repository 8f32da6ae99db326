"""`gradlab explain`: what is known of a defect."""

from __future__ import annotations

import difflib

import click

from gradlab.cli.status import Status


@click.command(short_help="What is known about a defect, and how to mend it.")
@click.argument("defect")
def explain(defect: str) -> Status:
    """What is wrong with a known DEFECT, the smallest input that shows it, how to mend it, and where it was seen."""
    from gradlab.report.explained import explanation_of
    from gradlab.report.terminal import print_lines
    from gradlab.targets.shipped import specimens

    known = specimens()
    if defect not in known:
        close = difflib.get_close_matches(defect, known, n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else "; `gradlab list specimens` names them"
        raise click.UsageError(f"{defect} is no known defect{hint}")
    print_lines(explanation_of(known[defect]))
    return Status.MET
