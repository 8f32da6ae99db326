"""`gradlab compare`: what has changed between two reports."""

from __future__ import annotations

from pathlib import Path

import click

from gradlab.cli.status import Status


@click.command(short_help="What changed between two reports.")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--markdown", is_flag=True, help="As Markdown: >> $GITHUB_STEP_SUMMARY.")
def compare(old: Path, new: Path, markdown: bool) -> Status:
    """Compare the reports OLD and NEW that `gradlab check --json` wrote: nothing is worse (0), something is (1).

    Worse is a lower verdict, a check that passed and fails now, an implementation that is gone, and an error that is
    more than twice what it was and one ULP. Errors are compared where both runs had the same seed and profile.

    Of two reports with --time: a time, as a ratio to a yardstick that ran in turn with it, whose median is more than
    1.25 times what it was, with p < 0.001 in a rank test (Mann-Whitney) and at least 5 samples on either side; and
    memory beyond the gradient that is more than 1.25 times what it was, and 64 KiB.
    """
    from gradlab.compare.change import counted
    from gradlab.compare.comparison import ReportError, changes, read_report
    from gradlab.compare.markdown import summary
    from gradlab.report.terminal import print_lines

    try:
        reports = read_report(old), read_report(new)
    except ReportError as error:
        raise click.UsageError(str(error)) from error
    found = list(changes(*reports))
    if markdown:
        click.echo(summary(*reports, found), nl=False)
    else:
        print_lines([*map(str, found), counted(found)])
    return Status.NOT_MET if any(one.is_regression for one in found) else Status.MET
