"""`gradlab conform`: which rule an implementation follows where implementations disagree."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.claiming import claim_options, claims_given, dtype_option
from gradlab.cli.human_text import print_beside
from gradlab.cli.limits import isolation_options, limits_of
from gradlab.cli.status import Status
from gradlab.isolation.limits import n_processors

if TYPE_CHECKING:
    from gradlab.campaigns.conformance.page import Conformance
    from gradlab.targets.naming import Claimant


@click.command(short_help="Which rules an implementation follows where implementations disagree.")
@click.argument("targets", nargs=-1, required=True)
@dtype_option("Ask")
@click.option(
    "--json", type=click.Path(path_type=Path), metavar="FILE", help="Also write the profiles to FILE, as JSON."
)
@claim_options
@isolation_options
def conform(targets: tuple[str, ...], dtypes: tuple[str, ...], json: Path | None, **named: Any) -> Status:
    """The conformance profile of each TARGET: which rule it follows in each case on which implementations disagree.

    There is no verdict, and the exit status is 0, or 2 where a TARGET does not load; the others are asked all the
    same. docs/conformance.md names the rules of each case. The rule that the answer follows is printed, or the answer
    itself if no rule fits. A case is not asked if it needs an option that is not claimed. A TARGET is what it is for
    `gradlab check`, and runs in a process of its own as it does there.
    """
    from gradlab.campaigns.conformance.page import conformance_document
    from gradlab.campaigns.conformance.run import Listener, conformances
    from gradlab.campaigns.runner import GivenClaims, Where
    from gradlab.report.progress import show_progress
    from gradlab.storage.files import output_fault, strict_json, write_whole, writing
    from gradlab.targets.importing import TargetError

    path = Path.cwd() / json if json else None  # what is asked may go elsewhere
    print_beside(path)
    fault = output_fault(path) if path else None
    if fault:
        raise click.UsageError(fault)
    limits, given = limits_of(named), GivenClaims(claims_given(named), dtypes)
    where = Where(limits, n_processors(), show_progress)
    faults: list[str] = []
    listener = Listener(partial(_print_left_out, dtypes), faults.append)
    profiles = [_print(one) for one in conformances(targets, given, where, listener)]
    if path:
        with writing():
            write_whole(path, strict_json(conformance_document(profiles)))
    if faults:
        raise TargetError("\n".join(faults))
    return Status.MET if profiles else Status.NOTHING_CHECKED


def _print_left_out(dtypes: tuple[str, ...], one: Claimant) -> None:
    from gradlab.report.terminal import print_lines

    print_lines([f"not asked {one.name}: it claims {', '.join(one.claims.dtypes)}, not {', '.join(dtypes)}"])


def _print(found: Conformance) -> Conformance:
    from gradlab.campaigns.conformance.page import profile_table
    from gradlab.report.terminal import print_lines, print_table

    print_lines(["", f"{found.name}: {', '.join(found.dtypes)}"])
    print_table(profile_table(found))
    print_lines([f"cut short: {found.cut_short}"] if found.cut_short else [])
    return found
