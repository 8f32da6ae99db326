"""`gradlab replay`: a kept problem once more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gradlab.cli.kept import cases_option
from gradlab.cli.limits import isolation_options, limits_of
from gradlab.cli.signals import held_apart
from gradlab.cli.status import Status
from gradlab.evaluation.text import one_line


@click.command(short_help="Run a kept problem again: fixed or still failing.")
@click.argument("case")
@cases_option("The folder in which a case is looked for by its id.")
@click.option("--trust", is_flag=True, help="Run the command that the case names, where its target is exec:...")
@isolation_options
def replay(case: str, cases: Path, trust: bool, **given: Any) -> Status:
    """Run a kept CASE again, bit for bit. CASE is an id or a file.

    A case from somebody else is code: it names a function that is loaded from this machine, with the folder to look in.
    A command that it names is not run unless you say so.

    Exit status: 0 fixed, 1 still failing, 2 cannot run.
    """
    from gradlab.cases.cases import CaseError, find_case, read_case
    from gradlab.report.terminal import print_lines
    from gradlab.runs.replay import replay_here, replay_judged
    from gradlab.targets.prefixes import runs_a_command, untrusted

    limits = limits_of(given)
    try:
        path = find_case(case, cases)
        kept = read_case(path)
    except CaseError as error:
        raise click.UsageError(f"cannot run: {error}") from error
    if runs_a_command(kept.target) and not trust:
        raise click.UsageError(f"cannot run: {untrusted(kept.target, case)}")
    if limits is None:
        outcome = replay_here(path)
    else:
        with held_apart():
            outcome = replay_judged(path, limits)
    if outcome.fault:
        raise click.UsageError(f"cannot run: {one_line(outcome.fault)}")
    print_lines(outcome.lines)
    return Status.MET if outcome.fixed else Status.NOT_MET
