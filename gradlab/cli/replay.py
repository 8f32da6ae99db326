"""`gradlab replay`: a kept problem once more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradlab.cli.status import Status
from gradlab.harness.files import CASES

if TYPE_CHECKING:
    from gradlab.harness.replay import Replay


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
def replay(case: str, cases: Path) -> Status:
    """Run a kept CASE, an id or a file, again bit for bit: fixed (0), still failing (1), or cannot run (2)."""
    from gradlab.adapters.load import TargetError
    from gradlab.harness.cases import CaseError, find_case, read_case
    from gradlab.harness.replay import replay as run_again
    from gradlab.report.terminal import print_lines

    try:
        outcome = run_again(read_case(find_case(case, cases)))
    except (CaseError, TargetError) as error:
        raise click.UsageError(f"cannot run: {error}") from error
    print_lines(_told(outcome))
    return Status.MET if outcome.fixed else Status.NOT_MET


def _told(outcome: Replay) -> Iterator[str]:
    from gradlab.problems.spelling import snippet

    case = outcome.case
    yield f"{'fixed' if outcome.fixed else 'still failing'}: {case.id}  {case.name}  {case.problem.format.name}"
    for result in outcome.results:
        counts = "" if result in outcome.costly else f"  (does not cost the level {case.level})"
        yield f"{'pass' if result.passed else 'FAIL'} {result.check}{counts}"
        if not result.passed:
            yield f"  {result.sentence()}"
    yield f"  problem ({case.problem.family}): {snippet(case.problem)}"
    same = "bit for bit the one that was recorded" if outcome.same_answer else "another one than was recorded"
    yield f"  the answer is {same}"
