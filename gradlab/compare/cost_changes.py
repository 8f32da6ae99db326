"""What has changed in time and memory between two reports of `gradlab check --time --json`."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from gradlab.compare.change import Change, Effect, Plain, worse_if
from gradlab.measure.rank_test import mann_whitney_p

FACTOR = 1.25  # time and memory: what is less than this is no change
LEVEL = 0.001  # of the rank test: one in a thousand pairs of samples that differ by chance alone passes it
MIN_SAMPLES = 5  # samples on either side, or there is no claim
BYTES = 64 * 1024  # memory: a smaller difference is no change


class Measured(NamedTuple):
    """What a cost was measured of: an implementation, in a dtype, at a shape."""

    implementation: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def place(self) -> str:
        """The dtype and the shape."""
        return f"{self.dtype} ({', '.join(map(str, self.shape))})"


def cost_changes(old: Plain, new: Plain) -> Iterator[Change]:
    """Times and memory that differ, of what was measured in both reports, and a line where the machines do.

    A time is a ratio to a yardstick that ran in turn with the implementation. It has changed where the medians differ
    by more than FACTOR and the rank test of all the ratios gives less than LEVEL.
    """
    before, after = (_measurements(report) for report in (old, new))
    if bool(before) != bool(after):
        which = "new" if before else "old"
        yield Change("time", f"is not compared: there is none in the {which} report", Effect.CHANGED)
    if before and after:
        yield from _other_machine(old["timing"]["machine"], new["timing"]["machine"])
    for one, measured in before.items():
        if one in after:
            yield from _time_change(one, measured, after[one])
            yield from _memory_change(one, measured, after[one])


def _measurements(report: Plain) -> dict[Measured, Plain]:
    measured = report["timing"]["measurements"]
    return {Measured(one["implementation"], one["dtype"], tuple(one["shape"])): one for one in measured}


def _other_machine(old: Plain, new: Plain) -> Iterator[Change]:
    differ = [f"{name} {old[name]} -> {new[name]}" for name in old if old[name] != new[name]]
    if differ:
        yield Change("machine", f"is another one: {', '.join(differ)}; the ratios are compared anyway", Effect.CHANGED)


def _time_change(one: Measured, old: Plain, new: Plain) -> Iterator[Change]:
    samples = old["ratios"], new["ratios"]
    if len(samples[0]) >= MIN_SAMPLES > len(samples[1]) and new["note"]:
        yield Change(one.implementation, f"time {one.place}: measured -> {new['note']}", Effect.CHANGED)
    if min(map(len, samples)) < MIN_SAMPLES:
        return
    medians = [median(ratios) for ratios in samples]
    factor = max(medians) / min(medians)
    p = mann_whitney_p(*samples) if factor > FACTOR else 1.0
    if p < LEVEL:
        said = f"{medians[0]:.3g} -> {medians[1]:.3g} yardsticks, {medians[1] / medians[0]:.2f} times (p = {p:.1g})"
        yield Change(one.implementation, f"time {one.place}: {said}", worse_if(medians[1] > medians[0]))


def _memory_change(one: Measured, old: Plain, new: Plain) -> Iterator[Change]:
    sizes = old["bytes_beyond_the_gradient"], new["bytes_beyond_the_gradient"]
    if None in sizes:
        return
    if max(sizes) > FACTOR * min(sizes) and max(sizes) - min(sizes) > BYTES:
        said = " -> ".join(f"{size / 1024:,.0f} KiB" for size in sizes)
        yield Change(
            one.implementation, f"memory beyond the gradient {one.place}: {said}", worse_if(sizes[1] > sizes[0])
        )
