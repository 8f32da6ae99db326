"""The part of a run on sizes, in words and as plain data."""

from __future__ import annotations

from collections.abc import Iterator

from gradlab.harness.run import Run
from gradlab.harness.sizes import Asked, coverage_of
from gradlab.storage.encoding import Plain

TOGETHER = {2: "pairs", 3: "triples"}


def size_lines(run: Run) -> Iterator[str]:
    """How many sizes were tried, how far they reach, what they cover together; and what was left out, and why."""
    tried = run.sizes.tried
    if not tried:
        return
    covered = coverage_of(run.implementation.claims, run.dtypes, run.plan.profile.families, run.sizes)
    rows, classes = (max(one.shape[axis] for one in tried) for axis in (0, 1))
    yield (
        f"sizes: {len(tried)} shapes, up to {rows:,} rows, {classes:,} classes and {_most(tried):,} logits; "
        f"{covered.met:,} of {covered.every:,} {TOGETHER[covered.strength]} of rows, classes, dtypes, integer types, "
        "layouts, labels and options"
    )
    for reason, left_out in run.sizes.left_out.items():
        smallest = min(left_out, key=lambda one: one.n_entries)
        yield f"  not tried: {len(left_out)} sizes from {smallest.shape} on, {reason}"


def encode_sizes(run: Run) -> Plain | None:
    """The same as plain data; None where nothing was tried."""
    tried = run.sizes.tried
    if not tried:
        return None
    covered = coverage_of(run.implementation.claims, run.dtypes, run.plan.profile.families, run.sizes)
    return {
        "tried": len(tried),
        "largest": [max(one.shape[axis] for one in tried) for axis in (0, 1)],
        "most_logits": _most(tried),
        "strength": covered.strength,
        "covered": covered.met,
        "to_cover": covered.every,
        "left_out": {reason: len(some) for reason, some in run.sizes.left_out.items()},
    }


def _most(tried: list[Asked]) -> int:
    return max(one.n_entries for one in tried)
