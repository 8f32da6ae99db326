"""What became of a case, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from gradlab.cases.replay import Replay
from gradlab.harness.scopes import snippet


def replay_lines(outcome: Replay) -> Iterator[str]:
    """What became of a case, line by line."""
    case = outcome.case
    yield f"{'fixed' if outcome.fixed else 'still failing'}: {case.id}  {case.name}  {case.problem.format.name}"
    for result in outcome.results:
        counts = "" if result in outcome.costly else f"  (does not cost the level {case.level})"
        yield f"{'pass' if result.passed else 'FAIL'} {result.check}{counts}"
        if not result.passed:
            yield f"  {result.sentence()}"
    yield f"  problem ({case.problem.family}): {snippet(case.problem)}"
    same = "bit for bit the one that was recorded" if outcome.same_answer else "another one than was recorded"
    yield f"  the answer is {same}"
