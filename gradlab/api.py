"""The Python entry: implementations in, reports out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import profile_named
from gradlab.isolation.limits import Limits
from gradlab.report.report import Report
from gradlab.runs.here import run_implementations, run_one
from gradlab.runs.options import Listener, Options, Summary, plan_of
from gradlab.runs.run import run_targets
from gradlab.storage.files import OutputError
from gradlab.targets.importing import TargetError
from gradlab.targets.in_scope import load_callable, load_in_scope

Target = str | Callable[..., Any] | Implementation
LIMITS = Limits()


def check(
    target: Target,
    *,
    level: str | None = None,
    profile: str = "standard",
    seed: int = 0,
    dtypes: Iterable[str] = (),
    time: bool = False,
    minutes: float | None = None,
    cases: str | Path | None = None,
    isolated: bool = False,
    call_seconds: float = LIMITS.call_seconds,
    load_seconds: float = LIMITS.load_seconds,
    memory: int = LIMITS.memory,
    **claims: Any,
) -> Report:
    """The report on one implementation.

    target: what `gradlab check` takes, a function `(logits, labels) -> (loss, gradient)`, or an Implementation.
    level: the verdict asked for, "stable" or "accurate"; what is claimed unless given. profile: "quick", "standard"
    or "thorough". dtypes: of those claimed (of all four, for a function that says nothing of dtypes). time: whether
    time and memory are measured too. minutes: after which a run is cut short, 10 unless given, and 240 in "thorough".
    cases: a folder in which failing problems are kept, for `gradlab replay`.
    claims: over those that stand beside the function, such as reduction="sum".

    isolated: whether it runs in a process of its own, which loads it again by its target, gets arrays and returns
    arrays; this process judges (POSIX): a crash, a call of more than call_seconds or more than `memory` bytes is a
    finding then, and loading takes load_seconds at most. In this process, which is where it runs unless told otherwise,
    a crash is the end.

    Raises TargetError where the target does not load, stands for several functions, or answers nothing in the time
    that there is, ValueError for an unknown
    level, profile or dtype, OutputError where a case cannot be kept.

    >>> report = check("mypackage.losses:softmax_ce")
    >>> assert report.verdict >= "stable", report
    """
    wanted = _as_tuple(dtypes)
    options = Options(level, profile, wanted, seed, claims, time=time, cases=_folder(cases), strict=True, most=1)
    options = replace(options, minutes=_minutes(minutes, profile))
    if isolated:
        options = replace(options, limits=Limits(call_seconds, load_seconds, memory))
        return _run_isolated([target], options)[0]
    found = implementations_of(target, claims, wanted)
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise TargetError(f"{target} stands for {len(found)} functions, must be one: {names}")
    return run_one(found[0], plan_of(found[0].claims, options), options)


def check_all(
    targets: Iterable[Target],
    *,
    level: str | None = None,
    profile: str = "standard",
    seed: int = 0,
    dtypes: Iterable[str] = (),
    time: bool = False,
    minutes: float | None = None,
    cases: str | Path | None = None,
    isolated: bool = False,
    jobs: int = 1,
    call_seconds: float = LIMITS.call_seconds,
    load_seconds: float = LIMITS.load_seconds,
    memory: int = LIMITS.memory,
    **claims: Any,
) -> list[Report]:
    """The reports on all implementations that the targets stand for, in order; a target may be a folder.

    jobs: how many run side by side, in processes of their own if isolated; in this process one follows the other. All
    else is as for `check`, and asked of each. Raises what `check` does, before anything is run: also TargetError where
    one file of a folder does not load, and ValueError where one of the functions does not claim a dtype.

    >>> assert all(report.met for report in check_all(["mypackage/losses"], isolated=True, jobs=2))
    """
    wanted, given = _as_tuple(dtypes), [targets] if isinstance(targets, str) else list(targets)
    options = Options(level, profile, wanted, seed, claims, time=time, cases=_folder(cases), jobs=jobs, strict=True)
    options = replace(options, minutes=_minutes(minutes, profile))
    if isolated:
        return _run_isolated(given, replace(options, limits=Limits(call_seconds, load_seconds, memory)))
    found = [one for target in given for one in implementations_of(target, claims, wanted)]
    return _reports_in(run_implementations(found, options, Listener()))


def implementations_of(target: Target, claims: Mapping[str, Any], dtypes: Iterable[str] = ()) -> list[Implementation]:
    """The implementations that a target stands for, whatever kind of target it is; see `check`."""
    if isinstance(target, Implementation):
        if claims:
            raise TargetError(f"{target.name} has its own claims, got {', '.join(claims)} too")
        return [target]
    if isinstance(target, str):
        return load_in_scope(target, claims, dtypes)
    if not callable(target):
        raise TargetError(f"a target must be a string or callable, got {target!r:.60}")
    return [load_callable(target, claims, dtypes)]


def plan_for(
    implementation: Implementation,
    *,
    level: str | None = None,
    profile: str = "standard",
    seed: int = 0,
    dtypes: Iterable[str] = (),
) -> Plan:
    """What a run on an implementation is to try; the level is the one that it claims unless given.

    Raises ValueError for an unknown level or profile.
    """
    return plan_of(implementation.claims, Options(level, profile, tuple(dtypes), seed, strict=True))


def _run_isolated(targets: Sequence[Target], options: Options) -> list[Report]:
    if os.name != "posix":
        raise OSError("processes of their own need POSIX; run without isolated=True here")
    plan_of(Claims(), options)  # an unknown level or profile, before a worker starts
    named = [_loadable(target, options) for target in targets]
    if len(targets) == 1 and isinstance(targets[0], Implementation):
        options = replace(options, claims=asdict(targets[0].claims))
    return [report.without_function() for report in _reports_in(run_targets(named, options, Listener()))]


def _reports_in(found: Summary) -> list[Report]:
    """The reports of a run. Raises OutputError where a case could not be kept, and KeyboardInterrupt after one."""
    if found.is_interrupted:
        raise KeyboardInterrupt
    for fault in found.unkept:
        raise OutputError(fault)
    return list(found.reports)


def _loadable(target: Target, options: Options) -> str:
    """The string by which another process loads a target. Raises TargetError where there is none."""
    if isinstance(target, str):
        return target
    if isinstance(target, Implementation) and options.most != 1:
        raise TargetError(f"{target.name} has its own claims, which the other targets do not share: use `check`")
    (found,) = implementations_of(target, options.claims, options.dtypes)
    if not found.target or found.target.startswith("__main__:"):
        raise TargetError(f"{found.name} must be in a module or a file, from which another process loads it")
    return found.target


def _as_tuple(dtypes: Iterable[str]) -> tuple[str, ...]:
    return (dtypes,) if isinstance(dtypes, str) else tuple(dtypes)


def _minutes(given: float | None, profile: str) -> float:
    """After how many minutes a run is cut short. Raises ValueError for an unknown profile."""
    return profile_named(profile).minutes if given is None else given


def _folder(cases: str | Path | None) -> Path | None:
    return None if cases is None else Path(cases).resolve()
