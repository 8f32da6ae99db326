"""Targets loaded in processes of their own, and what they stand for there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gradlab.cli.judging import distinct_names
from gradlab.evaluation.claims import Claims
from gradlab.isolation.limits import LOADING

if TYPE_CHECKING:
    from gradlab.evaluation.call import Implementation
    from gradlab.isolation.supervisor import Pool, Supervised
    from gradlab.isolation.worker_context import Desk


@dataclass(frozen=True)
class Claimed:
    """What the command line says of all targets: further claims, and the dtypes that are asked for."""

    claims: dict[str, Any] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Offered:
    """One implementation that a target stands for: the target, its place among what that stands for, and itself."""

    given: str
    place: int
    name: str
    target: str
    claims: Claims


@dataclass(frozen=True)
class Loaded:
    """What a target stands for; why it does not load, which may be a package that is missing; faults of its files."""

    given: str
    found: tuple[Offered, ...] = ()
    fault: str = ""
    is_missing: bool = False
    unloaded: tuple[str, ...] = ()


class Offers:
    """What targets stand for, each loaded in a worker of a pool; the worker may stay for the first task on it."""

    def __init__(self, pool: Pool, targets: Sequence[str], claimed: Claimed) -> None:
        given = list(dict.fromkeys(targets))
        members = [pool.given(partial(load_here, target, claimed)) for target in given]
        self._pool = pool
        self.loads = [self._load(member, number < pool.most) for number, member in enumerate(members)]
        self._firsts: dict[str, Supervised] = dict(zip(given, members, strict=True))

    @property
    def found(self) -> list[Offered]:
        """All implementations, under names that tell them apart."""
        found = [one for load in self.loads for one in load.found]
        names = distinct_names([(one.name, one.target) for one in found])
        return [replace(one, name=name) for one, name in zip(found, names, strict=True)]

    @property
    def faults(self) -> list[str]:
        """Why targets do not load, those whose packages are missing too."""
        return [load.fault for load in self.loads if load.fault]

    @property
    def unloaded(self) -> list[str]:
        """What is wrong with single files of folders."""
        return [fault for load in self.loads for fault in load.unloaded]

    def begin(self, one: Offered, task: Callable[[Desk], Any]) -> Supervised:
        """Has one task on one of them done, in the worker that has loaded it if that is still there."""
        return self._pool.given(task, self._firsts.pop(one.given, None), is_last=True)

    def _load(self, member: Supervised, stays: bool) -> Loaded:
        load: Loaded = self._pool.result_of(member)
        if not stays:
            member.close()
        return load


def load_here(target: str, claimed: Claimed, desk: Desk) -> Loaded:
    """What a target stands for, in the worker; what does not load, or ends the process, is told of."""
    from gradlab.targets.importing import MissingError
    from gradlab.targets.load import TargetError, files_that_may_offer, folder_of, load, load_offered, offers_nothing

    found: list[Implementation] = []
    unloaded: list[str] = []
    try:
        folder = folder_of(target)
        if folder is None:
            found = loaded_under_watch(target, partial(load, target, claimed.claims, claimed.dtypes), desk)
        for path in files_that_may_offer(folder) if folder is not None else ():
            offered = partial(load_offered, path, claimed.claims, claimed.dtypes)
            try:
                found += loaded_under_watch(str(path), offered, desk)
            except TargetError as error:
                unloaded.append(str(error))
        if folder is not None and not (found or unloaded):
            raise TargetError(offers_nothing(folder))
    except TargetError as error:
        return Loaded(target, fault=str(error), is_missing=isinstance(error, MissingError))
    desk.memo[target] = found
    offers = (Offered(target, place, one.name, one.target, one.claims) for place, one in enumerate(found))
    return Loaded(target, tuple(offers), unloaded=tuple(unloaded))


def implementation_here(one: Offered, claimed: Claimed, desk: Desk) -> Implementation:
    """One of those that were offered, in a worker that may not have loaded it yet. Raises TargetError."""
    from gradlab.targets.load import load

    if one.given in desk.memo:
        found: list[Implementation] = desk.memo[one.given]
        return replace(found[one.place], name=one.name)
    again = partial(load, one.target, claimed.claims, claimed.dtypes)
    return replace(loaded_under_watch(one.target, again, desk)[0], name=one.name)


def loaded_under_watch(what: str, load: Callable[[], list[Implementation]], desk: Desk) -> list[Implementation]:
    """What is loaded. Raises TargetError, also where loading it ended an earlier worker."""
    from gradlab.targets.importing import TargetError

    if harm := desk.harm_of(what):
        raise TargetError(f"{what} does not import: it {harm}")
    with desk.span(what, LOADING):
        return load()
