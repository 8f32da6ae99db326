"""`gradlab check`: verdicts on implementations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.claiming import claim_options, claims_given
from gradlab.cli.judging import Wishes, judged, loaded, write
from gradlab.cli.limits import isolation_options, limits_of
from gradlab.cli.shipped import check_shipped
from gradlab.cli.status import Status
from gradlab.evaluation.claims import LEVELS
from gradlab.harness.profiles import PROFILES
from gradlab.isolation.limits import n_processors
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.problems.objective import DERIVATIVES
from gradlab.storage.files import CASES

if TYPE_CHECKING:
    from gradlab.report.json import NotChecked
    from gradlab.report.report import Report


@click.command(short_help="Verdicts on implementations.")
@click.argument("targets", nargs=-1)
@click.option("--shipped", is_flag=True, help="All that ships with gradlab, each against the verdict it states.")
@click.option("--level", type=click.Choice(LEVELS), help="The verdict asked for.  [default: as claimed, or stable]")
@click.option("--profile", type=click.Choice(list(PROFILES)), default="standard", show_default=True)
@click.option("--dtype", "dtypes", type=click.Choice(DTYPE_NAMES), multiple=True, help="Check it. May be repeated.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--json", type=click.Path(path_type=Path), metavar="FILE", help="Write the report there too.")
@click.option(
    "--cases",
    type=click.Path(path_type=Path),
    default=CASES,
    show_default=True,
    metavar="DIR",
    help="Where failing problems are kept.",
)
@claim_options
@click.option("--derivative", type=click.Choice(list(DERIVATIVES)), help="Claim it.  [default: gradient]")
@click.option("--time", is_flag=True, help="Measure time and memory too, a few seconds for each dtype.")
@click.option("--verbose", is_flag=True, help="Show every failure, not only the most costly.")
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="How many to judge side by side.  [default: the processors]"
)
@isolation_options
def check(targets: tuple[str, ...], shipped: bool, **given: Any) -> Status:
    """The verdict on each TARGET: wrong, unstable, stable or accurate.

    A TARGET is package.module:callable, file.py:callable, a file (all functions that it marks with
    @gradlab.implementation or lists in __all__), a folder, the name of a shipped implementation, or an entry point of
    the group gradlab.implementations. A prefix, such as torch:, c: or pair:, makes an adapter of the rest:
    docs/validate-your-own.md has them all.

    Each runs in a process of its own, so that a crash, an endless loop or too much memory is a finding, and the run
    goes on. This is for accidents; it is no sandbox against malice: docs/isolation.md.
    """
    limits = limits_of(given)
    given["jobs"] = given["jobs"] or n_processors()
    derivative, claims = given.pop("derivative"), claims_given(given)
    claims |= {"derivative": derivative} if derivative else {}
    wishes = Wishes(claims=claims, limits=limits, **given)
    click.echo(_heading(wishes))  # before anything heavy is imported
    _refuse_bad_outputs(wishes)
    here = Path.cwd()  # what is checked may go elsewhere
    json = here / wishes.json if wishes.json else None
    wishes = replace(wishes, cases=here / wishes.cases, json=json, here=here, shipped=shipped)
    if shipped == bool(targets):
        raise click.UsageError("give one TARGET or more, or --shipped; `gradlab check --help` says what a target is")
    if shipped:
        return check_shipped(wishes)
    from gradlab.cli.apart import judged_apart

    return _concluded(*(judged_apart if limits else _judged_here)(targets, wishes), wishes)


def _heading(wishes: Wishes) -> str:
    from importlib.metadata import version

    level = f" \u00b7 level {wishes.level}" if wishes.level else ""
    return f"gradlab {version('gradlab-verify')} \u00b7 profile {wishes.profile} \u00b7 seed {wishes.seed}{level}"


def _refuse_bad_outputs(wishes: Wishes) -> None:
    from gradlab.storage.files import folder_fault, output_fault

    faults = [folder_fault(wishes.cases), output_fault(wishes.json) if wishes.json else None]
    if any(faults):
        raise click.UsageError("\n".join(fault for fault in faults if fault))


def _judged_here(targets: Sequence[str], wishes: Wishes) -> tuple[list[Report], list[NotChecked], list[str]]:
    """What the targets come to, told as it comes; what was not checked; what is wrong with files of folders."""
    found, unloaded = loaded(targets, wishes)
    return *judged(found, wishes), unloaded


def _concluded(
    found: Sequence[Report], not_checked: Sequence[NotChecked], unloaded: Sequence[str], wishes: Wishes
) -> Status:
    """The table, what was not checked, the report as JSON, and the exit status; unloaded: why files did not load."""
    from gradlab.report.json import NotChecked
    from gradlab.report.terminal import print_lines, print_table, verdict_table
    from gradlab.report.times import time_table

    not_checked = [*not_checked, *(NotChecked("a file", "", fault) for fault in unloaded)]
    if found:
        print_table(verdict_table([one.run for one in found], {}))
    if wishes.time and found:
        print_table(time_table((one.implementation.name, timing) for one in found for timing in one.timings))
    print_lines(f"not checked {one.name}: {one.reason}" for one in not_checked)
    write(wishes, found, not_checked)
    if unloaded:
        return Status.USAGE
    if not any(one.lines for one in found):
        return Status.NOTHING_CHECKED
    return Status.MET if all(one.met for one in found) else Status.NOT_MET
