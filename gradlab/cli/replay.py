"""`gradlab replay`: a kept problem once more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gradlab.cli.limits import isolation_options, limits_of
from gradlab.cli.status import Status
from gradlab.storage.files import CASES


@click.command(short_help="A kept problem again: fixed or still failing.")
@click.argument("case")
@click.option(
    "--cases",
    type=click.Path(path_type=Path),
    default=CASES,
    show_default=True,
    metavar="DIR",
    help="Where cases are looked for by their id.",
)
@isolation_options
def replay(case: str, cases: Path, **given: Any) -> Status:
    """Run a kept CASE, an id or a file, again bit for bit: fixed (0), still failing (1), or cannot run (2)."""
    from gradlab.cases.cases import CaseError, find_case
    from gradlab.cli.apart import replayed_apart
    from gradlab.report.terminal import print_lines

    limits = limits_of(given)
    try:
        path = find_case(case, cases)
    except CaseError as error:
        raise click.UsageError(f"cannot run: {error}") from error
    outcome = replayed_here(path) if limits is None else replayed_apart(path, limits)
    if isinstance(outcome, str):
        raise click.UsageError(f"cannot run: {outcome}")
    fixed, lines = outcome
    print_lines(lines)
    return Status.MET if fixed else Status.NOT_MET


def replayed_here(path: Path) -> tuple[bool, list[str]] | str:
    """Whether a case is fixed, and what is told of it; or why it cannot run."""
    from gradlab.cases.cases import CaseError, read_case
    from gradlab.cases.replay import replay as run_again
    from gradlab.cases.report import told
    from gradlab.targets.load import TargetError

    try:
        outcome = run_again(read_case(path))
    except (CaseError, TargetError) as error:
        return str(error)
    return outcome.fixed, list(told(outcome))
