"""`gradlab compare`: what has changed between two reports."""

from __future__ import annotations

from pathlib import Path

import click

from gradlab.cli.status import Status


@click.command(short_help="What changed between two reports.")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
def compare(old: Path, new: Path) -> Status:
    """Compare the reports OLD and NEW that `gradlab check --json` wrote: nothing is worse (0), something is (1).

    Worse is a lower verdict, a check that passed and fails now, an implementation that is gone, and an error that is
    more than twice what it was and one ULP. Errors are compared where both runs had the same seed and profile.
    """
    from gradlab.report.comparison import ReportError, changes, read_report
    from gradlab.report.terminal import print_lines

    try:
        found = list(changes(read_report(old), read_report(new)))
    except ReportError as error:
        raise click.UsageError(str(error)) from error
    for change in found:
        print_lines([f"{'worse' if change.is_regression else 'changed'}: {change.implementation}  {change.text}"])
    worse = sum(change.is_regression for change in found)
    print_lines([f"{len(found)} changes, {worse} for the worse"])
    return Status.NOT_MET if worse else Status.MET
