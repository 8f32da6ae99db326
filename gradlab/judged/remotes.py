"""What targets stand for, each in a process of its own: from this process, or from workers of gradlab's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.isolation.limits import TIMED_CALLS, Limits
from gradlab.isolation.pool import Pool, pool_in
from gradlab.isolation.supervisor import TaskRunner, WorkerError
from gradlab.judged.process import Place
from gradlab.judged.reach import out_of_reach
from gradlab.judged.remote import Remote, Wanted, never, nothing
from gradlab.targets.folders import files_that_may_offer, offers_nothing
from gradlab.targets.importing import MissingError, TargetError
from gradlab.targets.load import folder_of
from gradlab.targets.naming import distinct_names

if TYPE_CHECKING:
    from gradlab.isolation.worker_context import WorkerContext

OWN_MEMORY = 4 << 30  # bytes that gradlab itself may take in one process, beside those of what it judges
OWN_SECONDS = 60.0  # in which it gives a sign of life


@dataclass(frozen=True)
class Given:
    """What is said of all targets: where they run, further claims, and the dtypes that are asked for."""

    place: Place
    claims: Mapping[str, Any] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadedTarget:
    """One implementation in a worker: the target as given, its place among what that stands for, and what it claims."""

    given: str
    place: int
    name: str
    target: str
    claims: Claims


@dataclass(frozen=True)
class Loading:
    """What a target stands for; why it does not load, which may be a package that is missing; faults of its files.

    error: that of gradlab itself, where there was one.
    """

    given: str
    found: tuple[LoadedTarget, ...] = ()
    fault: str = ""
    is_missing: bool = False
    unloaded: tuple[str, ...] = ()
    error: WorkerError | None = None


@dataclass(frozen=True)
class Hooks:
    """What is done here beside the calls.

    meanwhile: while the other process begins. reason_to_stop: asked before each call, as of a `Remote`.
    """

    meanwhile: Callable[[], None] = nothing
    reason_to_stop: Callable[[], str] = never


NO_HOOKS = Hooks()


def remote_of(target: str, given: Given, hooks: Hooks = NO_HOOKS) -> Remote:
    """A target that is no folder, in a process that begins when it is loaded."""
    wanted = Wanted(target, given.claims, given.dtypes)
    return Remote(wanted, given.place, hooks.meanwhile, hooks.reason_to_stop)


def loaded_of(
    target: str, given: Given, unloaded: list[str], hooks: Hooks = NO_HOOKS
) -> Iterator[tuple[Remote, list[Implementation]]]:
    """What a target, or each file of a folder, stands for, with its process, which whoever gets it ends.

    unloaded: why files of a folder do not load. Raises TargetError where the target does not.
    """
    folder = folder_of(target)
    if folder is None:
        remote = remote_of(target, given, hooks)
        yield remote, _loaded(remote)
        return
    found = False
    for path in files_that_may_offer(folder, unloaded):
        wanted = Wanted(str(path), given.claims, given.dtypes, is_of_folder=True)
        remote = Remote(wanted, given.place, reason_to_stop=hooks.reason_to_stop)
        with closing(remote):  # until it is called: a folder may have many files
            try:
                implementations = remote.load()
            except TargetError as error:
                unloaded.append(str(error))
                continue
        found |= bool(implementations)
        yield remote, implementations
    if not (found or unloaded):
        raise TargetError(offers_nothing(folder))


def _loaded(remote: Remote) -> list[Implementation]:
    try:
        return remote.load()
    except BaseException:
        remote.close()
        raise


class LoadedTargets:
    """What targets stand for, each loaded from a worker of a pool; the worker may stay for the first task on it."""

    def __init__(self, pool: Pool, targets: Sequence[str], given: Given) -> None:
        names = list(dict.fromkeys(targets))
        runners = [pool.start(partial(load_apart, target, given)) for target in names]
        self._pool = pool
        self.loadings = [
            self._result(target, runner, number < pool.most)
            for number, (target, runner) in enumerate(zip(names, runners, strict=True))
        ]
        self._firsts: dict[str, TaskRunner] = dict(zip(names, runners, strict=True))

    @property
    def found(self) -> list[LoadedTarget]:
        """All implementations, under names that tell them apart."""
        found = [one for loading in self.loadings for one in loading.found]
        return [replace(one, name=name) for one, name in zip(found, distinct_names(found), strict=True)]

    @property
    def unloaded(self) -> list[str]:
        """What is wrong with single files of folders."""
        return [fault for loading in self.loadings for fault in loading.unloaded]

    def begin(self, one: LoadedTarget, task: Callable[[WorkerContext], Any]) -> TaskRunner:
        """Has one task on one of them done, in the worker that has loaded it if that is still there."""
        runner = self._firsts.pop(one.given, None) or self._pool.new_runner()
        runner.is_at_its_last = True
        return self._pool.start(task, runner)

    def _result(self, given: str, runner: TaskRunner, stays: bool) -> Loading:
        try:
            loading: Loading = self._pool.result_of(runner)
        except WorkerError as error:
            return Loading(given, fault=f"{given} cannot be loaded: {error}", error=error)
        if not stays:
            runner.close()
        return loading


def pool_of_judges(place: Place, most: int) -> closing[Pool]:
    """A pool for work on targets at a place; its workers wait for the code that they judge."""
    limits = place.limits
    longest = max(limits.load_seconds, TIMED_CALLS * limits.call_seconds) + OWN_SECONDS
    return pool_in(place.here, Limits(longest, longest, limits.memory + OWN_MEMORY), most)


def load_apart(target: str, given: Given, context: WorkerContext) -> Loading:
    """What a target stands for, loaded from a worker; says so where it does not load."""
    found: list[tuple[Implementation, Remote]] = []
    unloaded: list[str] = []
    try:
        with out_of_reach():
            for remote, some in loaded_of(target, given, unloaded, Hooks(reason_to_stop=context.reason_to_stop)):
                found += [(one, remote) for one in some]
                context.sign()
    except TargetError as error:
        return Loading(target, fault=str(error), is_missing=isinstance(error, MissingError))
    context.memo[target] = found
    loaded = (LoadedTarget(target, n, one.name, one.target, one.claims) for n, (one, _) in enumerate(found))
    return Loading(target, tuple(loaded), unloaded=tuple(unloaded))


def implementation_of(one: LoadedTarget, given: Given, context: WorkerContext, stack: ExitStack) -> Implementation:
    """One of the implementations, from a worker that may not have loaded it; its process ends with the stack.

    Raises TargetError where it does not load a second time.
    """
    own: Implementation
    if one.given in context.memo:
        own, remote = context.memo[one.given][one.place]
        stack.callback(remote.close)
    else:
        remote = remote_of(one.target, given, Hooks(reason_to_stop=context.reason_to_stop))
        stack.callback(remote.close)
        (own,) = remote.load()
    return replace(own, name=one.name)
