"""Holds shipped implementations, as they stand on disk, against what gradlab said of them before they were mutated.

    python judge.py record FILE NAME...     writes verdicts and failing checks to FILE
    python judge.py compare FILE NAME...    exits with 1 and says why, if one is judged worse than FILE says

The problems are those of `gradlab check NAME --profile quick --seed 0`, in its order; what that command does beyond
(a smaller failing problem, the diagnosis) raises no verdict and is left out. Worse is a lower verdict, or a check that
failed on no problem and now fails: then it prints "verdict" or "check", and what it saw.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TypedDict

from gradlab.harness.logits_problems import problems_for
from gradlab.harness.profiles import profile_named
from gradlab.harness.search import drawn_problems
from gradlab.harness.selection import may_be_asked
from gradlab.harness.tally import Line, Tally, examine
from gradlab.harness.verdict import Verdict
from gradlab.targets.load import load

PROFILE = profile_named("quick")
SEED = 0


class Judged(TypedDict):
    """What gradlab says of one implementation; failing: "check dtype" of everything that failed, advice included."""

    verdict: str
    failing: list[str]


def tallies(name: str) -> Iterator[Tally]:
    """The tally of the implementation after each problem of the run; its families first, then what is drawn."""
    (implementation,) = load(name, {})
    claims = implementation.claims
    tally = Tally(implementation)
    for dtype in claims.dtypes:
        families = problems_for(claims, dtype, PROFILE.families, SEED)
        drawn = (problem for _ in "1" for problem in drawn_problems(claims, dtype, PROFILE.examples, SEED))
        for problem in chain(families, drawn):
            if may_be_asked(claims, problem):
                examine(tally, problem)
                yield tally


def judge(name: str) -> Judged:
    """What gradlab says of the implementation after all problems."""
    *_, tally = tallies(name)
    return {"verdict": str(tally.verdict()), "failing": [_label(line) for line in tally.in_order() if not line.passed]}


def what_is_worse(name: str, before: Judged) -> str:
    """The first reason to call it worse than before, "" if there is none; a lower verdict ends the run."""
    for tally in tallies(name):
        lowest = min((line.verdict for line in tally.lines.values()), default=Verdict.ACCURATE)
        if lowest < Verdict(before["verdict"]):
            because = ", ".join(_label(line) for line in tally.in_order() if line.verdict == lowest)
            return f"verdict {name} {lowest}: {because}"
    new = [_label(line) for line in tally.in_order() if not line.passed and _label(line) not in before["failing"]]
    return f"check {name}: {', '.join(new)}" if new else ""


def main(action: str, file: Path, names: list[str]) -> int:
    """Records or compares; exit status 1 where something is worse."""
    if action == "record":
        file.write_text(json.dumps({name: judge(name) for name in names}, indent=1), encoding="utf-8")
        return 0
    before: dict[str, Judged] = json.loads(file.read_text(encoding="utf-8"))
    for name in names:
        worse = what_is_worse(name, before[name])
        if worse:
            print(worse)
            return 1
    return 0


def _label(line: Line) -> str:
    return f"{line.check.name} {line.dtype}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
