"""`gradlab conform`: which rule an implementation follows where implementations disagree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.claiming import claim_options, claims_given
from gradlab.cli.judging import refuse_faults, writing
from gradlab.cli.limits import isolation_options, limits_of
from gradlab.cli.offered import Claimed, Offered, Offers, implementation_here
from gradlab.cli.status import Status
from gradlab.evaluation.claims import Claims
from gradlab.isolation.limits import Limits, n_processors
from gradlab.problems.dtypes import DTYPE_NAMES

if TYPE_CHECKING:
    from gradlab.campaigns.conformance.page import Conformance
    from gradlab.evaluation.call import Implementation
    from gradlab.harness.plan import Watch
    from gradlab.isolation.worker_context import Desk


@click.command(short_help="Which rules an implementation follows where implementations disagree.")
@click.argument("targets", nargs=-1, required=True)
@click.option("--dtype", "dtypes", type=click.Choice(DTYPE_NAMES), multiple=True, help="Ask in it. May be repeated.")
@click.option("--json", type=click.Path(path_type=Path), metavar="FILE", help="Write the profiles there too.")
@claim_options
@isolation_options
def conform(targets: tuple[str, ...], dtypes: tuple[str, ...], json: Path | None, **named: Any) -> Status:
    """The conformance profile of each TARGET: what it makes of every case on which implementations disagree.

    Nothing is judged, and the exit status is 0. Each case has rules with names, docs/conformance.md; the one whose
    answer was given is printed, or what was seen where none fits. What needs an option that is not claimed is not
    asked. TARGETs are those of `gradlab check`, and run in processes of their own as they do there.
    """
    from gradlab.storage.files import output_fault

    path = json.resolve() if json else None  # what is asked may go elsewhere
    fault = output_fault(path) if path else None
    if fault:
        raise click.UsageError(fault)
    limits = limits_of(named)
    claimed = Claimed(claims_given(named), dtypes)
    profiles = list(_profiled_here(targets, claimed) if limits is None else _profiled_apart(targets, claimed, limits))
    if path:
        _write(path, profiles)
    return Status.MET if profiles else Status.NOTHING_CHECKED


def _profiled_here(targets: Sequence[str], claimed: Claimed) -> Iterator[Conformance]:
    """The profiles of all, told as they come, in this process."""
    from gradlab.report.progress import shown
    from gradlab.targets.load import TargetError, load, with_gradients

    try:
        found = [one for target in dict.fromkeys(targets) for one in load(target, claimed.claims, claimed.dtypes)]
        found = with_gradients(found)
    except TargetError as error:
        raise click.UsageError(str(error)) from error
    for one in found:
        if dtypes := _asked(one.name, one.claims, claimed):
            with shown(one.name) as watch:
                profiles = _conformance(one, dtypes, watch)
            yield _told(profiles)


def _profiled_apart(targets: Sequence[str], claimed: Claimed, limits: Limits) -> Iterator[Conformance]:
    """The same, each in a process of its own."""
    from gradlab.isolation.supervisor import pool_in
    from gradlab.report.progress import shown

    with pool_in(str(Path.cwd()), limits, n_processors()) as pool:
        offers = Offers(pool, targets, claimed)
        refuse_faults(offers.faults + offers.unloaded, (), offers.found)
        asked = [(one, dtypes) for one in offers.found if (dtypes := _asked(one.name, one.claims, claimed))]
        members = [offers.begin(one, partial(profile_here, one, claimed, dtypes)) for one, dtypes in asked]
        for (one, _), member in zip(asked, members, strict=True):
            with shown(one.name) as watch:
                found: Conformance | str = pool.result_of(member, watch)
            if isinstance(found, str):
                raise click.UsageError(found)
            yield _told(found)


def profile_here(one: Offered, claimed: Claimed, dtypes: Sequence[str], desk: Desk) -> Conformance | str:
    """The profiles of one in a worker, or why it does not load."""
    from gradlab.targets.load import TargetError, with_gradients

    try:
        (implementation,) = with_gradients([implementation_here(one, claimed, desk)])
    except TargetError as error:
        return str(error)
    return replace(_conformance(desk.supervised(implementation), dtypes, desk.watch), cut_short=desk.behind.cut_short)


def _conformance(implementation: Implementation, dtypes: Sequence[str], watch: Watch) -> Conformance:
    from gradlab.campaigns.conformance.page import conformance_of
    from gradlab.campaigns.conformance.profile import profile_of

    profiles = {dtype: profile_of(implementation, dtype, watch) for dtype in dtypes}
    return conformance_of(implementation, profiles)


def _asked(name: str, claims: Claims, claimed: Claimed) -> list[str]:
    """The dtypes asked for that are claimed; where there is none, that is told."""
    from gradlab.report.terminal import print_lines

    asked = [dtype for dtype in dict.fromkeys(claimed.dtypes or claims.dtypes) if dtype in claims.dtypes]
    if not asked:
        print_lines([f"not asked {name}: it claims {', '.join(claims.dtypes)}, not {', '.join(claimed.dtypes)}"])
    return asked


def _told(found: Conformance) -> Conformance:
    from gradlab.campaigns.conformance.page import profile_table
    from gradlab.report.terminal import print_lines, print_table

    print_lines(["", f"{found.name}: {', '.join(found.dtypes)}"])
    print_table(profile_table(found))
    print_lines([f"cut short: {found.cut_short}"] if found.cut_short else [])
    return found


def _write(path: Path, found: list[Conformance]) -> None:
    from gradlab.campaigns.conformance.page import conformance_document
    from gradlab.storage.files import strict_json, write_whole

    with writing():
        write_whole(path, strict_json(conformance_document(found)))
