"""A run that can be taken up again by another process: what is behind it, and what it is not to do any more."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from gradlab.evaluation.call import AnyAnswer
from gradlab.harness.sizes import SizesTried
from gradlab.harness.tally import Line, Tally
from gradlab.problems.problem import AnyProblem


@dataclass(eq=False)
class Done:
    """What a run has behind it.

    tally: what was found. earlier: some of the first problems and their answers. n_examined: how many of the problems
    of all dtypes are examined, those of the second turn too. to_shrink: the failures for which a smaller problem is
    looked for, once all problems are examined; n_shrunk: for how many of them that is done. sizes: how far the part on
    sizes has come, which lies between the two turns. stopped: why it concluded before its end, or "".
    """

    tally: Tally
    earlier: list[tuple[AnyProblem, AnyAnswer]] = field(default_factory=list)
    n_examined: int = 0
    to_shrink: list[Line] | None = None
    n_shrunk: int = 0
    sizes: SizesTried = field(default_factory=SizesTried)
    stopped: str = ""


@dataclass(frozen=True, eq=False)
class Course:
    """How a run goes on.

    done: what is behind it, None at its beginning. keep: called whenever something more is done, and may leave it out.
    keep_now: called at the end of a part of the run, and leaves out nothing.
    given_up: what is not tried any more: checks by name, once a failure is on record, "shrinking CHECK", "diagnosis".
    cut_short: why nothing new is tried, "" unless so; then only problems that `is_known` holds for are examined, and
    where that begins is a finding. reason_to_stop: why the run is to conclude, at any moment, "" unless it is; then
    the same holds, but it is no finding.
    """

    done: Done | None = None
    keep: Callable[[Done], None] = lambda done: None
    given_up: Collection[str] = ()
    cut_short: str = ""
    is_known: Callable[[AnyProblem], bool] = lambda problem: False
    reason_to_stop: Callable[[], str] = lambda: ""
    keep_now: Callable[[Done], None] = lambda done: None
