"""A kept case once more, here or in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab.isolation.limits import Limits

if TYPE_CHECKING:
    from gradlab.cases.replay import Replay
    from gradlab.evaluation.call import Implementation


@dataclass(frozen=True)
class Replayed:
    """Whether a case is fixed, and what is said of it; or why it cannot run."""

    fixed: bool = False
    lines: tuple[str, ...] = ()
    fault: str = ""


def replay_here(path: Path) -> Replayed:
    """What becomes of the case in a file, in this process."""
    from gradlab.cases.cases import CaseError, read_case
    from gradlab.cases.replay import replay
    from gradlab.targets.importing import TargetError

    try:
        return _replay_result(replay(read_case(path)))
    except (CaseError, TargetError) as error:
        return Replayed(fault=str(error))


def replay_judged(path: Path, limits: Limits) -> Replayed:
    """What becomes of it where its calls are made in a process of their own."""
    from gradlab.cases.cases import CaseError, read_case
    from gradlab.cases.replay import implementation_of_case, replay
    from gradlab.judged.process import Place
    from gradlab.judged.reach import out_of_reach
    from gradlab.judged.remote import Remote, Wanted
    from gradlab.targets.importing import TargetError

    with out_of_reach(), ExitStack() as stack:

        def load(target: str, claims: Mapping[str, Any]) -> list[Implementation]:
            return stack.enter_context(closing(Remote(Wanted(target, claims), Place(str(Path.cwd()), limits)))).load()

        try:
            case = read_case(path)
            return _replay_result(replay(case, implementation_of_case(case, load)))
        except (CaseError, TargetError) as error:
            return Replayed(fault=str(error))


def _replay_result(outcome: Replay) -> Replayed:
    from gradlab.cases.report import replay_lines

    return Replayed(outcome.fixed, tuple(replay_lines(outcome)))
