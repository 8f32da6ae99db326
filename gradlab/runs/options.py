"""What is asked of a run over targets, who hears of it, and what it comes to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab.evaluation.claims import LEVELS, Claims
from gradlab.isolation.limits import Limits
from gradlab.targets.importing import TargetError
from gradlab.targets.naming import Claimant

if TYPE_CHECKING:
    from gradlab.harness.plan import Plan, Progress, Watch
    from gradlab.report.json import NotChecked
    from gradlab.report.report import Report


@dataclass(frozen=True)
class Options:
    """What is asked of a run, apart from its targets.

    level: the one that is claimed, where it is None. dtypes: all that are claimed, where there are none. claims: over
    those beside the functions. time: whether calls are timed too. power: whether to reckon what a passing run would
    have caught. cases: the folder in which failing problems are kept, or None. limits: of the processes in which
    targets run, `jobs` side by side, judged from others; None: all runs in this process. here: the folder in which
    targets are given.
    strict: whether a target or a file that does not load, or a dtype that is not claimed, is an error; otherwise the
    rest is run. most: how many functions the targets may stand for, or None. minutes: after which the run on one
    implementation is cut short. forbidden: packages that what runs in processes of its own may not use.
    curves: whether to work out what a page draws. certificates: the folder, from
    `here`, of certificates that are drawn too, or None.
    """

    level: str | None = None
    profile: str = "standard"
    dtypes: tuple[str, ...] = ()
    seed: int = 0
    claims: Mapping[str, Any] = field(default_factory=dict)
    time: bool = False
    power: bool = True
    cases: Path | None = None
    limits: Limits | None = None
    jobs: int = 1
    here: Path = field(default_factory=Path.cwd)
    strict: bool = False
    most: int | None = None
    minutes: float = math.inf
    forbidden: tuple[str, ...] = ()
    curves: bool = False
    certificates: Path | None = None


def ignore(progress: Progress) -> None:
    """Tells nobody where a run is."""


@dataclass(frozen=True)
class Listener:
    """Who hears of a run as it goes; nobody, unless said otherwise.

    progress: for the name of an implementation, a context in which its run goes on, which gives whom to tell where it
    is. report: gets each report as it comes.
    """

    progress: Callable[[str], AbstractContextManager[Watch]] = lambda name: nullcontext(ignore)
    report: Callable[[Report], None] = lambda report: None


@dataclass(frozen=True)
class Summary:
    """What a run over targets comes to: the reports, and what was not checked.

    unkept: why failing problems could not be kept. is_interrupted: whether it was to conclude before its end.
    """

    reports: tuple[Report, ...]
    not_checked: tuple[NotChecked, ...] = ()
    unkept: tuple[str, ...] = ()
    is_interrupted: bool = False


def plan_of(claims: Claims, options: Options) -> Plan:
    """What a run on an implementation with these claims is to try, unless strict without the dtypes not claimed.

    Raises ValueError for an unknown level or profile.
    """
    from gradlab.harness.plan import Plan
    from gradlab.harness.profiles import profile_named

    level = claims.level if options.level is None else options.level
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, got {level!r}")
    dtypes = [dtype for dtype in dict.fromkeys(options.dtypes) if options.strict or dtype in claims.dtypes]
    profile = profile_named(options.profile)
    return Plan(profile, options.seed, level, tuple(dtypes), options.power, options.minutes, options.curves)


def reason_not_to_run(one: Claimant, options: Options) -> NotChecked | None:
    """Why nothing is run on it: it does not claim the level, or the dtypes, asked for. Raises ValueError if strict."""
    from gradlab.report.json import NotChecked

    claims, wanted = one.claims, options.dtypes
    if options.strict:
        for dtype in wanted:
            if dtype not in claims.dtypes:
                raise ValueError(f"{one.name} claims the dtypes {', '.join(claims.dtypes)}, not {dtype}")
        return None
    if options.level == "accurate" and claims.derivative != "gradient":
        reason = f"level accurate goes with derivative gradient alone, it claims {claims.derivative}"
    elif wanted and not set(wanted) & set(claims.dtypes):
        reason = f"it claims {', '.join(claims.dtypes)}, not {', '.join(wanted)}"
    else:
        return None
    return NotChecked(one.name, one.target, reason)


def refuse_faults(faults: Sequence[NotChecked], found: Sequence[Claimant], options: Options) -> None:
    """Raises TargetError in a strict run, one line for each fault, where there is one or the targets are too many.

    An error of gradlab's own is raised as it is.
    """
    for error in (one.error for one in faults if options.strict and one.error):
        raise error
    if options.strict and faults:
        raise TargetError("\n".join(one.reason for one in faults))
    if options.most is not None and len(found) > options.most:
        names = ", ".join(one.name for one in found)
        raise TargetError(f"the target stands for {len(found)} functions, must be one: {names}")


def not_run(target: str, fault: str, error: Exception | None = None) -> NotChecked:
    """What is said of a target that was to be checked and could not be; error: of gradlab's own, if that is why."""
    from gradlab.report.json import NotChecked

    return NotChecked(target, target, fault, is_fault=True, error=error)


def files_not_loaded(faults: Iterable[str]) -> list[NotChecked]:
    """What is said of files of folders that do not load."""
    from gradlab.report.json import NotChecked

    return [NotChecked("a file", "", fault, is_fault=True) for fault in faults]
