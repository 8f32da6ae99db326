"""`gradlab compare`: what has changed between two reports."""

from __future__ import annotations

from pathlib import Path

import click

from gradlab.cli.status import Status


@click.command(short_help="What changed between two reports.")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--markdown", is_flag=True, help="Print Markdown, for $GITHUB_STEP_SUMMARY.")
def compare(old: Path, new: Path, markdown: bool) -> Status:
    """Compare the reports OLD and NEW, which `gradlab check --json` wrote.

    Exit status: 0 nothing is worse, 1 something is worse.

    It is worse if a verdict is lower, if a check fails that passed, if an implementation is missing, or if an error is
    above twice the old one plus one ULP. Errors are compared if both runs had the same seed and profile.

    Reports with --time are compared in time and memory too. Times are ratios to a yardstick that ran in turn with the
    implementation. A time is worse if its median is more than 1.25 times the old one, with p < 0.001 in a rank test
    (Mann-Whitney) and at least 5 samples in both reports. Memory beyond the gradient is worse if it is more than 1.25
    times the old amount and grew by more than 64 KiB.
    """
    from gradlab.compare.change import count_line
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
        print_lines([*map(str, found), count_line(found)])
    return Status.NOT_MET if any(one.is_regression for one in found) else Status.MET
