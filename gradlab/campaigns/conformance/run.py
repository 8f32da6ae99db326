"""Conformance profiles of targets, here or in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from gradlab.campaigns.conformance.in_scope import profile_in_scope
from gradlab.campaigns.conformance.page import Conformance, conformance_of
from gradlab.campaigns.runner import GivenClaims, Job, Request, Where, Work, outcomes
from gradlab.targets.naming import Claimant


@dataclass(frozen=True)
class Listener:
    """Who is told of what has no profile.

    leave_out: of each implementation that claims none of the dtypes asked for. fail: why a target could not be loaded
    or asked; the others go on.
    """

    leave_out: Callable[[Claimant], None]
    fail: Callable[[str], None]


def conformances(targets: Sequence[str], given: GivenClaims, where: Where, listener: Listener) -> Iterator[Conformance]:
    """The profiles of every implementation that the targets stand for, as they come; what has none is told of."""

    def works(one: Claimant) -> list[Work]:
        dtypes = [dtype for dtype in dict.fromkeys(given.dtypes or one.claims.dtypes) if dtype in one.claims.dtypes]
        if not dtypes:
            listener.leave_out(one)
        return [partial(conformance_in, dtypes)] if dtypes else []

    for outcome in outcomes(Request(targets, given, works), where):
        if outcome.error:
            listener.fail(f"{outcome.target}: {outcome.error}")
        elif outcome.fault:
            listener.fail(outcome.fault)
        yield from outcome.results


def conformance_in(dtypes: Sequence[str], job: Job) -> Conformance:
    """The profiles of one implementation in these dtypes."""
    profiles = {dtype: profile_in_scope(job.implementation, dtype, job.watch) for dtype in dtypes}
    return replace(conformance_of(job.implementation, profiles), cut_short=job.cut_short)
