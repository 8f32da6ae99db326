"""A kept case once more, here or in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gradlab.isolation.limits import Limits
from gradlab.isolation.loading import load_in_span

if TYPE_CHECKING:
    from gradlab.cases.replay import Replay
    from gradlab.isolation.worker_context import WorkerContext


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


def replay_isolated(path: Path, limits: Limits) -> Replayed:
    """What becomes of it in a process of its own. Raises WorkerError for an error of gradlab's own."""
    from gradlab.isolation.pool import pool_in

    with pool_in(str(Path.cwd()), limits, 1) as pool:
        outcome: Replayed = pool.result_of(pool.start(partial(replay_in_worker, path)))
        return outcome


def replay_in_worker(path: Path, context: WorkerContext) -> Replayed:
    """What becomes of it, in the worker."""
    from gradlab.cases.cases import CaseError, read_case
    from gradlab.cases.replay import implementation_of_case, replay
    from gradlab.targets.importing import TargetError

    try:
        case = read_case(path)
        (implementation,) = load_in_span(case.target, lambda: [implementation_of_case(case)], context)
        return _replay_result(replay(case, context.record_calls(implementation)))
    except (CaseError, TargetError) as error:
        return Replayed(fault=str(error))


def _replay_result(outcome: Replay) -> Replayed:
    from gradlab.cases.report import replay_lines

    return Replayed(outcome.fixed, tuple(replay_lines(outcome)))
