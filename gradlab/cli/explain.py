"""`gradlab explain`: what is known of a defect, a check, a family of problems or a teaching code."""

from __future__ import annotations

import difflib

import click

from gradlab.cli.status import Status


@click.command(short_help="What is known about a defect, a check, a family or a teaching code.")
@click.argument("name")
def explain(name: str) -> Status:
    """What is known of NAME: a known defect, a check, a family of problems or a teaching code.

    Of a defect: what is wrong, the smallest input that shows it, what comes out there beside what is right, how to mend
    it, and where it was seen.
    """
    from gradlab.report.explanations import explanations
    from gradlab.report.terminal import print_lines

    known = explanations()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else "; `gradlab list specimens` names them"
        raise click.UsageError(f"{name} is no known defect, check, family or teaching code{hint}")
    print_lines(known[name]())
    return Status.MET
