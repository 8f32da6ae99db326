"""`gradlab lesson`: exercises, with gradlab as the judge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradlab.cli.seed import Seed
from gradlab.cli.signals import held_apart
from gradlab.cli.status import Status

if TYPE_CHECKING:
    from gradlab.lessons.outcome import Outcome
    from gradlab.lessons.table import Lesson


@click.command(short_help="Exercises, with gradlab as the judge.")
@click.argument("name", required=False)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--check", "is_check", is_flag=True, help="Check what has been written in FOLDER.")
@click.option(
    "--hints",
    type=click.IntRange(0, 2),
    default=0,
    show_default=True,
    metavar="N",
    help="With --check: 1 says where it is wrong, 2 also what kind of mistake it is.",
)
@click.option("--seed", type=Seed(), default=0, show_default=True, help="With --check: of the problems that are drawn.")
def lesson(name: str | None, folder: Path | None, is_check: bool, hints: int, seed: int) -> Status:
    """Writes the lesson NAME into FOLDER, or lists the lessons where no NAME is given.

    The folder is called NAME unless FOLDER is given. It gets a page with the task, and loss.py to fill in, which
    --check judges. Status 0: it passes; 1: it does not.
    """
    from gradlab.lessons.table import LESSONS, lesson_named

    if name is None:
        for number, one in enumerate(LESSONS, 1):
            click.echo(f"{number}  {one.name:<10}  {one.topic}")
        click.echo("\n`gradlab lesson NAME` writes one into a folder.")
        return Status.MET
    try:
        chosen = lesson_named(name)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if hints and not is_check:
        raise click.UsageError("give --hints with --check")
    place = folder or Path(name)
    return _check(chosen, place, hints, seed) if is_check else _write(chosen, place)


def _write(chosen: Lesson, folder: Path) -> Status:
    from gradlab.lessons.folder import commands, write_lesson

    for path in write_lesson(chosen, folder):
        click.echo(f"wrote {path}")
    click.echo(f"Read the task, fill in loss.py, then:  {commands(chosen.name, folder)[0]}")
    return Status.MET


def _check(chosen: Lesson, folder: Path, hints: int, seed: int) -> Status:
    from gradlab.lessons.judging import judge_submission
    from gradlab.lessons.table import STUB

    if not (folder / STUB).is_file():
        raise click.UsageError(f"{folder / STUB} is no file: `gradlab lesson {chosen.name} {folder}` writes it")
    with held_apart():
        outcome = judge_submission(f"{STUB}:loss", chosen.task, seed, folder.resolve())
    for line in _lines(chosen, folder, outcome, hints):
        click.echo(line)
    return Status.MET if outcome.passed else Status.NOT_MET


def _lines(chosen: Lesson, folder: Path, outcome: Outcome, hints: int) -> list[str]:
    """What is said of an attempt: whether it passes, and as much of a hint as is asked for."""
    from gradlab.evaluation.text import visible
    from gradlab.lessons.folder import commands
    from gradlab.lessons.outcome import NOT_BEGUN, REFUSED
    from gradlab.lessons.table import LESSONS, STUB

    if outcome.passed:
        after = LESSONS[LESSONS.index(chosen) + 1 :]
        following = f"; next: gradlab lesson {after[0].name}" if after else "; that was the last lesson"
        return [f"{chosen.name}: passed ({outcome.verdict}){following}"]
    if outcome.verdict == NOT_BEGUN:
        return [f"{chosen.name}: {folder / STUB} is as it was delivered. Read the task, and fill it in."]
    said = [f"{chosen.name}: not yet ({outcome.verdict})"]
    if outcome.verdict == REFUSED:
        return [*said, visible(outcome.finding)]
    more = commands(chosen.name, folder)[hints + 1 :]
    return [*said, *map(visible, outcome.hint.lines(hints)), *(f"a hint: {one}" for one in more[:1])]
