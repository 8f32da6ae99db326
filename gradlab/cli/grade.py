"""`gradlab grade`: marks for a class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.claiming import claim_options, claims_given, dtype_option
from gradlab.cli.limits import Size, Time
from gradlab.cli.outputs import output_faults
from gradlab.cli.seed import Seed
from gradlab.cli.signals import held_apart
from gradlab.cli.status import Status
from gradlab.evaluation.claims import LEVELS
from gradlab.isolation.limits import spelled_bytes

if TYPE_CHECKING:
    from gradlab.lessons.grading import Mark
    from gradlab.lessons.task import Task

SECONDS, MEMORY = 10.0, 2 << 30


@click.command(short_help="Marks for a class of submissions.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--csv", "table", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Write a line each."
)
@click.option("--lesson", "name", metavar="NAME", help="What was asked: this lesson. Without it, what the claims say.")
@click.option(
    "--function", default="loss", show_default=True, metavar="NAME", help="What is judged of each submission."
)
@click.option(
    "--level", type=click.Choice(LEVELS), default="stable", show_default=True, help="The verdict that passes."
)
@dtype_option("Judge")
@click.option(
    "--seed", type=Seed(), default=0, show_default=True, help="Of the problems; one that the class does not know."
)
@click.option("--call-seconds", type=Time("seconds"), default=SECONDS, show_default=True, metavar="N",
              help="How many seconds one call may take.")  # fmt: skip
@click.option("--memory", type=Size(), default=MEMORY, metavar="SIZE",
              help=f"How much memory a submission may use.  [default: {spelled_bytes(MEMORY)}]")  # fmt: skip
@claim_options
def grade(folder: Path, table: Path, name: str | None, **given: Any) -> Status:
    """Judges all submissions in FOLDER, and writes a line for each: a Python file or a folder for each student.

    A line has the name, the verdict, whether it passes, points from 0 to 10, the largest error over its tolerance, the
    first fact that does not hold, and a hint. Each submission runs in processes of its own; one that crashes, hangs or
    writes to files costs no other one its line. docs/exercises.md has the scale.
    """
    if faults := output_faults([table]):
        raise click.UsageError("\n".join(faults))
    task = _task(name, given)
    with held_apart():
        marks = _marks(folder, table.resolve(), task, given)
    passed = sum(mark.outcome.passed for mark in marks)
    click.echo(f"{passed} of {len(marks)} pass; {table} has the marks")
    return Status.MET


def _task(name: str | None, given: dict[str, Any]) -> Task:
    """What is asked: that of a lesson, or of the claims that are given. Raises UsageError for both."""
    from gradlab.evaluation.claims import claims_from
    from gradlab.lessons.table import lesson_named
    from gradlab.lessons.task import Task

    claims, dtypes, level = claims_given(given), list(given.pop("dtypes")), given.pop("level")
    claims |= {"dtypes": dtypes} if dtypes else {}
    try:
        if name is None:
            claims_from(claims)
            return Task(claims, level)
        if claims or level != "stable":
            raise click.UsageError("give --lesson, or what is claimed and the level, not both")
        return lesson_named(name).task
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _marks(folder: Path, table: Path, task: Task, given: dict[str, Any]) -> list[Mark]:
    """The marks, told one by one; the table is written again after each, so that an interrupt costs none."""
    from gradlab.evaluation.text import visible
    from gradlab.isolation.limits import Limits
    from gradlab.lessons.grading import grade as marks_of
    from gradlab.lessons.grading import table_of
    from gradlab.lessons.judging import LIMITS
    from gradlab.lessons.submissions import SubmissionError, submissions_in
    from gradlab.storage.files import write_whole, writing

    try:
        submissions = submissions_in(folder)
    except SubmissionError as error:
        raise click.UsageError(str(error)) from None
    limits = Limits(given["call_seconds"], LIMITS.load_seconds, given["memory"])
    marks: list[Mark] = []
    for mark in marks_of(submissions, task, given["seed"], given["function"], limits):
        marks.append(mark)
        one = mark.outcome
        click.echo(visible(f"{len(marks)}/{len(submissions)}  {mark.name}: {one.verdict}, {one.points} points"))
        with writing():
            write_whole(table, table_of(marks))
    return marks
