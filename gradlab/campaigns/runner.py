"""What campaigns run: work on every implementation that targets stand for, or on the pieces of a domain.

Work on an implementation is done here, or in workers, whose calls are made in processes of their own. Pieces are shared
between processes, so that many processors can work on one implementation.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gradlab.evaluation.call import Implementation
from gradlab.harness.plan import Watch
from gradlab.isolation.limits import Limits
from gradlab.isolation.pool import Pool
from gradlab.isolation.supervisor import TaskRunner, WorkerError
from gradlab.judged.process import Place
from gradlab.judged.reach import out_of_reach
from gradlab.judged.remotes import Given, LoadedTarget, LoadedTargets, Loading, implementation_of, pool_of_judges
from gradlab.targets.importing import MissingError, TargetError
from gradlab.targets.in_scope import load_in_scope
from gradlab.targets.load import with_gradients
from gradlab.targets.naming import Claimant

if TYPE_CHECKING:
    from gradlab.isolation.worker_context import WorkerContext


@dataclass(frozen=True)
class Job:
    """One implementation to work on, and whom to tell where the work is."""

    implementation: Implementation
    watch: Watch

    @property
    def cut_short(self) -> str:
        """Why no calls are made any more, "" unless so."""
        elsewhere = self.implementation.capture.elsewhere
        return elsewhere.cut_short if elsewhere is not None else ""


Piece = TypeVar("Piece")
Result = TypeVar("Result")
Work = Callable[[Job], Any]  # returns plain data; raises TargetError where that comes to nothing


@dataclass(frozen=True)
class GivenClaims:
    """What is said of all targets: further claims, and the dtypes that are asked for."""

    claims: Mapping[str, Any] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """The targets, what is claimed of them, and the work on each implementation: none where it is left out."""

    targets: Sequence[str]
    given: GivenClaims
    works: Callable[[Claimant], Sequence[Work]]


@dataclass(frozen=True)
class Where:
    """Where the work is done: in up to `jobs` processes under these limits, in this one where there are none.

    progress: for a name, a context that shows where its work is. seconds: after which one work is cut short whose calls
    are made in a process of their own.
    """

    limits: Limits | None
    jobs: int
    progress: Callable[[str], AbstractContextManager[Watch]]
    seconds: float = inf


def without_progress(name: str) -> AbstractContextManager[Watch]:
    """A context that shows nothing."""
    return nullcontext(lambda progress: None)


HERE = Where(None, 1, without_progress)


@dataclass(frozen=True)
class Outcome:
    """What the works on one implementation return; or why that came to nothing, for a target that does not load too.

    error: that of gradlab itself, if there was one. does_not_load: whether loading failed, not for want of a package.
    """

    name: str
    target: str
    results: tuple[Any, ...] = ()
    fault: str = ""
    error: WorkerError | None = None
    does_not_load: bool = False


def outcomes(request: Request, where: Where) -> Iterator[Outcome]:
    """The outcomes as they come, in the order of the targets, those that do not load first."""
    return _outcomes_here(request, where) if where.limits is None else _outcomes_in_workers(request, where)


def over_pieces(
    work: Callable[[Piece], Result], pieces: Sequence[Piece], n_processes: int
) -> Generator[tuple[Piece, Result], None, None]:
    """Every piece with what work on it returns, as it is done: here, or in n_processes where these are several.

    The processes are not isolated: what ends one ends the campaign. An interrupt is for this process, which may keep
    what is done. Raises what work raises.
    """
    if n_processes == 1:
        yield from ((piece, work(piece)) for piece in pieces)
        return
    with ProcessPoolExecutor(n_processes, initializer=_leave_interrupts_to_the_parent) as pool:
        try:
            running = {pool.submit(work, piece): piece for piece in pieces}
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _outcomes_here(request: Request, where: Where) -> Iterator[Outcome]:
    loadings, implementations = list[Loading](), list[Implementation]()
    for target in dict.fromkeys(request.targets):
        try:
            implementations += with_gradients(load_in_scope(target, request.given.claims, request.given.dtypes))
        except TargetError as error:
            loadings.append(Loading(target, fault=str(error), is_missing=isinstance(error, MissingError)))
    yield from _unloaded(loadings, ())
    for one in implementations:
        try:
            results = []
            for work in request.works(one):
                with where.progress(one.name) as watch:
                    results.append(work(Job(one, watch)))
        except TargetError as error:
            yield Outcome(one.name, one.target, fault=str(error))
        else:
            yield from [Outcome(one.name, one.target, tuple(results))] if results else []


def _outcomes_in_workers(request: Request, where: Where) -> Iterator[Outcome]:
    place = Place(str(Path.cwd()), where.limits or Limits())
    given = Given(place, request.given.claims, request.given.dtypes)
    with out_of_reach(), pool_of_judges(place, where.jobs) as pool:
        loaded = LoadedTargets(pool, request.targets, given)
        yield from _unloaded(loaded.loadings, loaded.unloaded)
        started = []
        for one in loaded.found:
            tasks = [partial(work_in_worker, one, given, work, where.seconds) for work in request.works(one)]
            started.append((one, [loaded.begin(one, task) for task in tasks]))
        for one, runners in started:
            if runners:
                yield _outcome(one, runners, pool, where)


def _unloaded(loadings: Sequence[Loading], files: Sequence[str]) -> Iterator[Outcome]:
    """The targets that do not load, and the files of folders; each says why, and the others go on."""
    for one in loadings:
        if one.fault:
            yield Outcome(one.given, one.given, fault=one.fault, does_not_load=not one.is_missing)
    yield from (Outcome("", "", fault=fault, does_not_load=True) for fault in files)


def _outcome(one: LoadedTarget, runners: Sequence[TaskRunner], pool: Pool, where: Where) -> Outcome:
    results: list[Any] = []
    try:
        for runner in runners:
            with where.progress(one.name) as watch:
                results.append(pool.result_of(runner, watch))
    except WorkerError as error:
        return Outcome(one.name, one.target, error=error)
    faults = [result.text for result in results if isinstance(result, Fault)]
    return Outcome(one.name, one.target, () if faults else tuple(results), faults[0] if faults else "")


@dataclass(frozen=True)
class Fault:
    """Why work in a worker came to nothing."""

    text: str


def work_in_worker(one: LoadedTarget, given: Given, work: Work, seconds: float, context: WorkerContext) -> Any:
    """What work returns, whose calls are made in another process; a Fault where it came to nothing."""
    with out_of_reach(), ExitStack() as stack:
        try:
            (implementation,) = with_gradients([implementation_of(one, given, context, stack)])
            context.end = time.monotonic() + seconds
            return work(Job(implementation, context.watch))
        except TargetError as error:
            return Fault(str(error))
