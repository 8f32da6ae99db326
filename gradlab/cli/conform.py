"""`gradlab conform`: which rule an implementation follows where implementations disagree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.claims import OPTIONS
from gradlab.cli.status import Status
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.problems.objective import REDUCTIONS, TARGETS

if TYPE_CHECKING:
    from gradlab.evaluation import Implementation
    from gradlab.report.conformance import Conformance


@click.command(short_help="Which rules an implementation follows where implementations disagree.")
@click.argument("targets", nargs=-1, required=True)
@click.option("--dtype", "dtypes", type=click.Choice(DTYPE_NAMES), multiple=True, help="Ask in it. May be repeated.")
@click.option("--json", type=click.Path(path_type=Path), metavar="FILE", help="Write the profiles there too.")
@click.option("--reduction", type=click.Choice(REDUCTIONS), multiple=True, help="Claim it. May be repeated.")
@click.option("--targets", "kinds", type=click.Choice(TARGETS), multiple=True, help="Claim it. May be repeated.")
@click.option("--option", "options", type=click.Choice(OPTIONS), multiple=True, help="Claim it. May be repeated.")
def conform(targets: tuple[str, ...], dtypes: tuple[str, ...], json: Path | None, **named: Any) -> Status:
    """The conformance profile of each TARGET: what it makes of every case on which implementations disagree.

    Nothing is judged, and the exit status is 0. Each case has rules with names, docs/conformance.md; the one whose
    answer was given is printed, or what was seen where none fits. What needs an option that is not claimed is not
    asked. TARGETs are those of `gradlab check`.
    """
    from gradlab.adapters.load import TargetError, load
    from gradlab.harness.files import output_fault

    path = json.resolve() if json else None  # what is asked may go elsewhere
    fault = output_fault(path) if path else None
    if fault:
        raise click.UsageError(fault)
    claims = {"reduction": named["reduction"], "targets": named["kinds"], "options": named["options"]}
    given = {name: value for name, value in claims.items() if value}
    try:
        found = [one for target in dict.fromkeys(targets) for one in load(target, given, dtypes)]
    except TargetError as error:
        raise click.UsageError(str(error)) from error
    profiles = [told for one in found if (told := _told(one, dtypes))]
    if path:
        _write(path, profiles)
    return Status.MET if profiles else Status.NOTHING_CHECKED


def _told(implementation: Implementation, dtypes: tuple[str, ...]) -> Conformance | None:
    """The profiles of one, printed; in the dtypes that it claims, of those asked for; None where there is none."""
    from gradlab.harness.conformance.profile import profile_of
    from gradlab.report.conformance import Conformance, profile_table
    from gradlab.report.terminal import print_lines, print_table

    claimed = implementation.claims.dtypes
    asked = [dtype for dtype in dict.fromkeys(dtypes or claimed) if dtype in claimed]
    if not asked:
        print_lines([f"not asked {implementation.name}: it claims {', '.join(claimed)}, not {', '.join(dtypes)}"])
        return None
    found = Conformance(implementation, {dtype: profile_of(implementation, dtype) for dtype in asked})
    print_lines(["", f"{implementation.name}: {', '.join(asked)}"])
    print_table(profile_table(found))
    return found


def _write(path: Path, found: list[Conformance]) -> None:
    from gradlab.harness.files import strict_json, write_whole
    from gradlab.report.conformance import conformance_document

    try:
        write_whole(path, strict_json(conformance_document(found)))
    except OSError as error:
        raise click.UsageError(f"cannot write: {error}") from error
