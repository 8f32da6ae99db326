"""The rows of the matrix: each implementation is asked what a run asks, and each row is kept between runs.

A row is computed again once the code that judges changes, or that of the implementation, a package or the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

from gradlab.campaigns.exhaustive.sources import OWN, dependencies_of, digest_of_code, follow
from gradlab.evaluation.call import Implementation
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.verdict import Verdict
from gradlab.storage.cache import from_cache_under, machine_and_packages
from gradlab.targets.load import load
from gradlab.targets.shipped import everything, shipped_targets, sound, specimens
from tools.kill_matrix import asking
from tools.kill_matrix.asking import shares_and_verdict

SEED = 0
PROFILES_ASKED = (PROFILES["quick"], replace(PROFILES["standard"], examples=0))  # drawing takes longer than the rest


@dataclass(frozen=True)
class Entry:
    """Something that ships. kind: "specimen", "teaching code" or "sound"; its_check: that must reject it, or ""."""

    name: str
    kind: str
    its_check: str


@dataclass(frozen=True)
class Row:
    """One implementation: the share of problems on which each check rejects it, and the claims' own reading of that.

    profile, dtype: whose problems were asked. rejected: by check, without those that were never asked. level: the best
    verdict that is left. seconds: of processor time that it took.
    """

    entry: Entry
    profile: str
    dtype: str
    rejected: Mapping[str, float]
    level: Verdict
    seconds: float

    @property
    def rejecting(self) -> list[str]:
        """The checks that reject it."""
        return [name for name, share in self.rejected.items() if share]

    @property
    def is_rejected_by_its_check(self) -> bool:
        """Whether its own check does; True of what is sound."""
        return not self.entry.its_check or self.entry.its_check in self.rejecting


def entries() -> Iterator[Entry]:
    """The specimens in the order of their modules, then the teaching codes, then what is sound."""
    for name, specimen in specimens().items():
        yield Entry(name, "specimen", specimen.killed_by)
    for one in shipped_targets().values():
        if one.is_teaching_code:
            yield Entry(one.name, "teaching code", one.because[0])
    for name in sound():
        yield Entry(name, "sound", "")


def rows(found: Sequence[Entry], jobs: int) -> Iterator[Row]:
    """The row of each, in that order, so many worked out at a time."""
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(row_of, found)


def row_of(entry: Entry) -> Row:
    """What a quick run asks in the first dtype in which its own check rejects it; else the same of a standard run.

    The last of these where its check rejects it nowhere.
    """
    (implementation,) = load(entry.name, {})
    for profile, dtype in product(PROFILES_ASKED, implementation.claims.dtypes):
        row = _kept_row(entry, implementation, Plan(profile, SEED, dtypes=(dtype,)))
        if row.is_rejected_by_its_check:
            break
    return row


def faults(found: Sequence[Row]) -> list[str]:
    """What must not be: a specimen that its own check lets pass, a sound implementation below stable."""
    escaped = [row.entry.name for row in found if not row.is_rejected_by_its_check]
    alarms = [row.entry.name for row in found if row.entry.kind == "sound" and row.level < Verdict.STABLE]
    return [f"{name} escapes its own check" for name in escaped] + [f"{name} is rejected" for name in alarms]


def _kept_row(entry: Entry, implementation: Implementation, plan: Plan) -> Row:
    function, _ = everything()[entry.name]
    answering = [path for path in dependencies_of(function).files if path.suffix == ".py"]
    key = [entry.name, repr(plan), _judging(), digest_of_code(answering), machine_and_packages()]
    plain = from_cache_under("\n".join(key), "kill-matrix", lambda: shares_and_verdict(implementation, plan))
    dtype = plan.dtypes[0]
    return Row(entry, plan.profile.name, dtype, plain["rejected"], Verdict(plain["level"]), plain["seconds"])


@cache
def _judging() -> str:
    """A digest of the code that asks and judges."""
    return digest_of_code(follow([Path(str(asking.__file__))], {OWN}).files)
