"""`gradlab check`: verdicts on implementations."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.claiming import (
    claim_options,
    claims_given,
    device_option,
    dtype_option,
    layer_claims_given,
    layer_options,
)
from gradlab.cli.human_text import print_beside
from gradlab.cli.kept import cases_option, certificates_option
from gradlab.cli.limits import Time, forbid_option, isolation_options, limits_of, sandbox_option
from gradlab.cli.outputs import output_faults
from gradlab.cli.seed import Seed
from gradlab.cli.signals import held_apart, interrupt_received
from gradlab.cli.status import Status
from gradlab.cli.written import Written, written_given, written_options
from gradlab.evaluation.claims import LEVELS
from gradlab.harness.profiles import PROFILES
from gradlab.isolation.limits import n_processors
from gradlab.problems.objective import DERIVATIVES
from gradlab.runs.options import Listener, Options, Summary
from gradlab.targets.prefixes import on_device

if TYPE_CHECKING:
    from gradlab.report.report import Report


@dataclass(frozen=True)
class Output:
    """What is printed and written: all failures or only the most costly, the report as JSON or otherwise, times."""

    verbose: bool
    json: Path | None
    written: Written
    time: bool

    @property
    def has_document(self) -> bool:
        """Whether the report is written at all."""
        return self.json is not None or bool(self.written)

    def print_report(self, report: Report) -> None:
        """Prints a report, after an empty line."""
        from gradlab.report.terminal import print_lines

        print_lines(["", *(report.full_lines() if self.verbose else report.short_lines())])


@click.command(short_help="Verdicts on implementations.")
@click.argument("targets", nargs=-1)
@click.option(
    "--shipped",
    is_flag=True,
    help="Check everything that ships with gradlab, and compare each verdict with the one it states.",
)
@click.option("--level", type=click.Choice(LEVELS), help="The verdict asked for.  [default: as claimed, or stable]")
@click.option("--profile", type=click.Choice(list(PROFILES)), default="standard", show_default=True)
@dtype_option("Check")
@click.option(
    "--seed",
    type=Seed(),
    default=0,
    show_default=True,
    metavar="N",
    help="Of the problems that are drawn; `random` draws one and prints it, so that nobody has their answers before.",
)
@click.option(
    "--minutes",
    type=Time("minutes"),
    metavar="N",
    help="After how many minutes the run on one implementation is cut short."
    f"  [default: {PROFILES['standard'].minutes:g}, with profile thorough {PROFILES['thorough'].minutes:g}]",
)
@click.option("--json", type=click.Path(path_type=Path), metavar="FILE", help="Also write the report to FILE, as JSON.")
@written_options
@cases_option("The folder in which failing problems are kept.")
@certificates_option("The folder of the certificates that a page draws, where one is of this very TARGET.")
@claim_options
@layer_options
@click.option("--derivative", type=click.Choice(list(DERIVATIVES)), help="Claim this.  [default: gradient]")
@click.option("--time", is_flag=True, help="Also measure time and memory, a few seconds for each dtype.")
@click.option("--verbose", is_flag=True, help="Show every failure, not only the most costly.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many to check at the same time.  [default: one per processor]",
)
@click.option(
    "--judged", "is_judged", is_flag=True, help="Judge from a process in which no code under test runs: the default."
)
@device_option
@forbid_option(" Not with --in-process.")
@sandbox_option(" Not with --in-process.")
@isolation_options
def check(targets: tuple[str, ...], shipped: bool, json: Path | None, verbose: bool, **given: Any) -> Status:
    """The verdict on each TARGET: wrong, unstable, stable or accurate.

    A TARGET is package.module:callable, file.py:callable, a file (all functions that it marks with
    @gradlab.implementation or lists in __all__), a folder, the name of a shipped implementation, or an entry point of
    the group gradlab.implementations. A prefix, such as torch:, c: or pair:, chooses an adapter for the rest;
    docs/validate-your-own.md lists them. layer: goes before what leads to a layer, a function of X, W, b and labels.

    Each implementation runs in a process of its own, which gets arrays and returns arrays; the verdict is made in
    another one. A crash, an endless loop or too much memory is a finding, and the run goes on. docs/isolation.md says
    what this protects from, docs/adversarial.md what it promises against code that wants to deceive.
    """
    _refuse_in_process_with(given)
    limits = limits_of(given)
    given.pop("is_judged")
    given["jobs"] = given["jobs"] or n_processors()
    given["minutes"] = given["minutes"] or PROFILES[given["profile"]].minutes
    targets = on_device(targets, given.pop("device"))
    derivative, claims = given.pop("derivative"), {**claims_given(given), **layer_claims_given(given)}
    claims |= {"derivative": derivative} if derivative else {}
    written = written_given(given)
    for path in (json, *written.paths()):
        print_beside(path)
    click.echo(_heading(**{name: given[name] for name in ("profile", "seed", "level")}))  # before anything heavy
    _refuse_bad_outputs(given["cases"], [*([json] if json else []), *written.paths()])
    here = Path.cwd()  # what is checked may go elsewhere
    given["cases"], json = here / given["cases"], here / json if json else None
    if shipped == bool(targets):
        raise click.UsageError("give one TARGET or more, or --shipped; `gradlab check --help` says what a target is")
    output = Output(verbose, json, written.below(here), given["time"])
    power = not shipped or verbose or output.has_document  # the table alone has no room for it
    curves = not shipped and output.has_document
    options = Options(claims=claims, limits=limits, power=power, here=here, curves=curves, **given)
    return _check_shipped(options, output) if shipped else _check_targets(targets, options, output)


def _refuse_in_process_with(given: dict[str, Any]) -> None:
    for name, option in (("is_judged", "--judged"), ("forbidden", "--forbid"), ("sandbox", "--sandbox")):
        if given[name] and given["in_process"]:
            raise click.UsageError(f"give {option} or --in-process, not both")


def _heading(profile: str, seed: int, level: str | None) -> str:
    from importlib.metadata import version

    shown = f" \u00b7 level {level}" if level else ""
    return f"gradlab {version('gradlab-verify')} \u00b7 profile {profile} \u00b7 seed {seed}{shown}"


def _refuse_bad_outputs(cases: Path, files: Sequence[Path]) -> None:
    from gradlab.storage.files import folder_fault

    faults = [*filter(None, [folder_fault(cases)]), *output_faults(files)]
    if faults:
        raise click.UsageError("\n".join(faults))


def _check_targets(targets: tuple[str, ...], options: Options, output: Output) -> Status:
    with held_apart() if options.limits else contextlib.nullcontext():
        from gradlab.runs.run import run_targets

        found = run_targets(targets, options, _listener(output.print_report))
    _conclude(found, {}, options, output)
    return _status_of(found)


def _status_of(found: Summary) -> Status:
    """What a run over targets comes to; whatever a target did is no error of gradlab's own."""
    for fault in found.unkept:
        click.echo(f"gradlab: {fault}", err=True)
    if found.is_interrupted:
        raise interrupt_received()
    for error in (one.error for one in found.not_checked if one.error):
        raise error
    if found.unkept or any(one.is_fault for one in found.not_checked):
        return Status.USAGE
    if not any(one.lines for one in found.reports):
        return Status.NOTHING_CHECKED
    return Status.MET if all(one.met for one in found.reports) else Status.NOT_MET


def _check_shipped(options: Options, output: Output) -> Status:
    """0 if every verdict is the one that is stated: exactly, or at least the level claimed where none is stated."""
    from gradlab.runs.shipped import comparison_with_stated, run_shipped, run_shipped_side_by_side

    def print_unexpected(report: Report) -> None:
        if not comparison_with_stated(report).startswith("yes"):
            output.print_report(report)

    if output.verbose or output.has_document or output.time:
        found = run_shipped(options, _listener(output.print_report if output.verbose else print_unexpected))
    else:
        found = run_shipped_side_by_side(options, _listener(print_unexpected))
    stated = {one.implementation.name: comparison_with_stated(one) for one in found.reports}
    _conclude(found, stated, options, output)
    if not stated:
        return Status.NOTHING_CHECKED
    return Status.MET if all(text.startswith("yes") for text in stated.values()) else Status.NOT_MET


def _listener(report: Callable[[Report], None]) -> Listener:
    from gradlab.report.progress import show_progress

    return Listener(show_progress, report)


def _conclude(found: Summary, stated: dict[str, str], options: Options, output: Output) -> None:
    """Prints the table, the times and what was not checked, and writes the report."""
    from gradlab.harness.plan import Plan
    from gradlab.report.json import report_document
    from gradlab.report.terminal import print_lines, print_table, verdict_table
    from gradlab.report.times import time_tables
    from gradlab.storage.files import strict_json, write_whole, writing

    runs = [report.run for report in found.reports]
    if runs:
        print_table(verdict_table(runs, stated))
    if output.time and runs:
        for table in time_tables((one.implementation.name, timing) for one in runs for timing in one.timings):
            print_table(table)
    told = [one for one in found.not_checked if not one.error]
    print_lines(f"not checked {one.name}: {one.reason}" for one in told if runs or not one.is_fault)
    if output.has_document:
        plan = Plan(PROFILES[options.profile], options.seed)
        origins = {one.implementation.name: one.origin for one in found.reports}
        document = report_document(plan, runs, found.not_checked, origins)
        if output.json:
            with writing():
                write_whole(output.json, strict_json(document))
        output.written.write([document])
    for one in told:
        if one.is_fault and not runs and not found.is_interrupted:
            click.echo(f"gradlab: {one.reason}", err=True)
