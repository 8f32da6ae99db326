"""Conformance profiles of targets, here or in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from gradlab.campaigns.conformance.page import Conformance, conformance_of
from gradlab.campaigns.conformance.profile import profile_of
from gradlab.campaigns.runner import Job, Request, Where, Work, outcomes
from gradlab.isolation.loading import GivenClaims
from gradlab.targets.importing import TargetError
from gradlab.targets.naming import Claimant


def conformances(
    targets: Sequence[str], given: GivenClaims, where: Where, leave_out: Callable[[Claimant], None]
) -> Iterator[Conformance]:
    """The profiles of every implementation that the targets stand for, as they come.

    leave_out: is told of each that claims none of the dtypes asked for. Raises TargetError where one does not load,
    WorkerError for an error of gradlab's own.
    """

    def works(one: Claimant) -> list[Work]:
        dtypes = [dtype for dtype in dict.fromkeys(given.dtypes or one.claims.dtypes) if dtype in one.claims.dtypes]
        if not dtypes:
            leave_out(one)
        return [partial(conformance_in, dtypes)] if dtypes else []

    for outcome in outcomes(Request(targets, given, works), where):
        if outcome.error:
            raise outcome.error
        if outcome.fault:
            raise TargetError(outcome.fault)
        yield from outcome.results


def conformance_in(dtypes: Sequence[str], job: Job) -> Conformance:
    """The profiles of one implementation in these dtypes."""
    profiles = {dtype: profile_of(job.implementation, dtype, job.watch) for dtype in dtypes}
    return replace(conformance_of(job.implementation, profiles), cut_short=job.cut_short)
