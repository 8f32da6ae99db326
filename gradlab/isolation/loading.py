"""Targets loaded in processes of their own, and what they stand for there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from gradlab.evaluation.claims import Claims
from gradlab.isolation.limits import LOADING
from gradlab.targets.naming import distinct_names

if TYPE_CHECKING:
    from gradlab.evaluation.call import Implementation
    from gradlab.isolation.pool import Pool
    from gradlab.isolation.supervisor import TaskRunner, WorkerError
    from gradlab.isolation.worker_context import WorkerContext


@dataclass(frozen=True)
class GivenClaims:
    """What is said of all targets: further claims, and the dtypes that are asked for."""

    claims: Mapping[str, Any] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadedTarget:
    """One implementation in a worker: the target as given, its place among what that stands for, and what it claims.

    is_own: whether it ships with gradlab.
    """

    given: str
    place: int
    name: str
    target: str
    claims: Claims
    is_own: bool = False


@dataclass(frozen=True)
class Loading:
    """What a target stands for; why it does not load, which may be a package that is missing; faults of its files.

    error: that of gradlab itself, where there was one before any code under test ran.
    """

    given: str
    found: tuple[LoadedTarget, ...] = ()
    fault: str = ""
    is_missing: bool = False
    unloaded: tuple[str, ...] = ()
    error: WorkerError | None = None


class LoadedTargets:
    """What targets stand for, each loaded in a worker of a pool; the worker may stay for the first task on it."""

    def __init__(self, pool: Pool, targets: Sequence[str], claims: GivenClaims) -> None:
        given = list(dict.fromkeys(targets))
        runners = [pool.start(partial(load_in_worker, target, claims)) for target in given]
        self._pool = pool
        self.loadings = [
            self._result(target, runner, number < pool.most)
            for number, (target, runner) in enumerate(zip(given, runners, strict=True))
        ]
        self._firsts: dict[str, TaskRunner] = dict(zip(given, runners, strict=True))

    @property
    def found(self) -> list[LoadedTarget]:
        """All implementations, under names that tell them apart."""
        found = [one for loading in self.loadings for one in loading.found]
        return [replace(one, name=name) for one, name in zip(found, distinct_names(found), strict=True)]

    @property
    def faults(self) -> list[str]:
        """Why targets do not load, those whose packages are missing too."""
        return [loading.fault for loading in self.loadings if loading.fault]

    @property
    def unloaded(self) -> list[str]:
        """What is wrong with single files of folders."""
        return [fault for loading in self.loadings for fault in loading.unloaded]

    def begin(self, one: LoadedTarget, task: Callable[[WorkerContext], Any], seconds: float = inf) -> TaskRunner:
        """Has one task on one of them done, in the worker that has loaded it if that is still there.

        seconds: after which it is to conclude.
        """
        runner = self._firsts.pop(one.given, None) or self._pool.new_runner()
        runner.is_at_its_last, runner.is_own = True, one.is_own
        return self._pool.start(task, runner, seconds)

    def _result(self, given: str, runner: TaskRunner, stays: bool) -> Loading:
        from gradlab.isolation.supervisor import WorkerError

        try:
            loading: Loading = self._pool.result_of(runner)
        except WorkerError as error:
            return Loading(given, fault=f"{given} cannot be loaded: {error}", error=None if error.is_foreign else error)
        if not stays:
            runner.close()
        return loading


def load_in_worker(target: str, claims: GivenClaims, context: WorkerContext) -> Loading:
    """What a target stands for, in the worker; says so where it does not load, or ends the process."""
    from gradlab.targets.folders import files_that_may_offer, offers_nothing
    from gradlab.targets.importing import MissingError
    from gradlab.targets.in_scope import load_in_scope, load_offered
    from gradlab.targets.load import TargetError, folder_of
    from gradlab.targets.shipped import is_shipped

    found: list[Implementation] = []
    unloaded: list[str] = []
    try:
        folder = folder_of(target)
        if folder is None:
            found = load_in_span(target, partial(load_in_scope, target, claims.claims, claims.dtypes), context)
        with context.span(target, LOADING):
            paths = list(files_that_may_offer(folder, unloaded)) if folder is not None else []
        for path in paths:
            offered = partial(load_offered, path, claims.claims, claims.dtypes)
            try:
                found += load_in_span(str(path), offered, context)
            except TargetError as error:
                unloaded.append(str(error))
        if folder is not None and not (found or unloaded):
            raise TargetError(offers_nothing(folder))
    except TargetError as error:
        return Loading(target, fault=str(error), is_missing=isinstance(error, MissingError))
    context.memo[target] = found
    loaded = (
        LoadedTarget(target, place, one.name, one.target, one.claims, is_shipped(one.function))
        for place, one in enumerate(found)
    )
    return Loading(target, tuple(loaded), unloaded=tuple(unloaded))


def implementation_in_worker(one: LoadedTarget, claims: GivenClaims, context: WorkerContext) -> Implementation:
    """One of the implementations, in a worker that may not have loaded it yet. Raises TargetError."""
    from gradlab.targets.in_scope import load_in_scope

    if one.given in context.memo:
        found: list[Implementation] = context.memo[one.given]
        return replace(found[one.place], name=one.name)
    again = partial(load_in_scope, one.target, claims.claims, claims.dtypes)
    return replace(load_in_span(one.target, again, context)[0], name=one.name)


def load_in_span(name: str, load: Callable[[], list[Implementation]], context: WorkerContext) -> list[Implementation]:
    """What `load` returns. Raises TargetError, also where loading it ended an earlier worker."""
    from gradlab.targets.importing import TargetError

    if harm := context.harm_of(name):
        raise TargetError(f"{name} does not import: it {harm}")
    with context.span(name, LOADING):
        return load()
