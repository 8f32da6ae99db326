"""The matrix as a page: a line for each specimen and teaching code, and for each check how many it rejects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from gradlab.checks.table import CHECKS
from tools.kill_matrix.rows import SEED, Row, faults

COMMAND = "python -m tools.kill_matrix"


def as_markdown(found: Sequence[Row]) -> str:
    """The page."""
    bad = [row for row in found if row.entry.kind != "sound"]
    return "\n".join([*_opening(found), *_faults(found), *_specimens(bad), "", *_checks(bad)]) + "\n"


def _opening(found: Sequence[Row]) -> Iterator[str]:
    kinds = Counter(row.entry.kind for row in found)
    minutes = sum(row.seconds for row in found) / 60
    yield "# Which check rejects which known defect"
    yield ""
    yield (
        f"Written by `{COMMAND}`; not to be edited. {kinds['specimen']} specimens, "
        f"{kinds['teaching code']} teaching codes, {kinds['sound']} sound implementations. "
        "`gradlab explain NAME` says more about each."
    )
    yield ""
    yield (
        f"Each specimen is asked what `gradlab check NAME --profile quick --seed {SEED}` asks, families, drawn "
        "problems and sizes, in the first dtype in which its own check rejects it. What its check rejects in none is "
        "asked what `--profile standard` asks, without drawn problems. What is sound is asked in the first dtype that "
        f"it claims. All answers together took {minutes:.0f} minutes of processor time; each row is kept until the "
        "code changes that it depends on, so that another run takes seconds."
    )
    yield ""
    yield "![kill matrix](kill-matrix.svg)"
    yield ""


def _faults(found: Sequence[Row]) -> Iterator[str]:
    """What must not be; else that it is not."""
    if not faults(found):
        yield "The own check of each rejects it, and no check of level `stable` rejects a sound implementation."
    yield from (f"- **Fault**: {fault}" for fault in faults(found))
    yield ""


def _specimens(bad: Sequence[Row]) -> Iterator[str]:
    """For each what it was asked, the verdict left, its own check, how often it rejects, and how many others do."""
    yield "| specimen | asked | verdict | its own check | rejects | others that reject it |"
    yield "|---|---|---|---|---|---|"
    for row in bad:
        name, check = row.entry.name, row.entry.its_check
        others = sum(one != check for one in row.rejecting)
        share = row.rejected.get(check, 0.0)
        yield f"| `{name}` | {row.profile}, {row.dtype} | {row.level} | {check} | {_percent(share)} | {others} |"


def _percent(share: float) -> str:
    """A share in whole percents; what is less than one of them, and not nothing, as such."""
    return "<1%" if 0 < share < 0.01 else f"{share:.0%}"


def _checks(bad: Sequence[Row]) -> Iterator[str]:
    used = Counter(name for row in bad for name in row.rejecting)
    alone = Counter(row.rejecting[0] for row in bad if len(row.rejecting) == 1)
    yield "| check | specimens and teaching codes that it rejects | that no other check rejects |"
    yield "|---|---|---|"
    yield from (f"| {check.name} | {used[check.name]} | {alone[check.name]} |" for check in CHECKS)
