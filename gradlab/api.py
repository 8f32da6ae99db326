"""The Python entry: one implementation in, one report out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import LEVELS
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import profile_named
from gradlab.harness.run import judge
from gradlab.report.report import Report, report_of
from gradlab.targets.load import TargetError, implementation_of, load

Target = str | Callable[..., Any] | Implementation


def check(
    target: Target,
    *,
    level: str | None = None,
    profile: str = "standard",
    seed: int = 0,
    dtypes: Iterable[str] = (),
    **claims: Any,
) -> Report:
    """The report on one implementation, which runs in this process: a crash ends it (`gradlab check` isolates).

    target: what `gradlab check` takes, a function `(logits, labels) -> (loss, gradient)`, or an Implementation.
    level: the verdict asked for, "stable" or "accurate"; what is claimed unless given. profile: "quick", "standard"
    or "thorough". dtypes: of those claimed (of all four, for a function that says nothing of dtypes). claims: over
    those that stand beside the function, such as reduction="sum".
    Raises TargetError where the target does not load or stands for several functions, ValueError for an unknown
    level, profile or dtype.

    >>> report = check("mypackage.losses:softmax_ce")
    >>> assert report.verdict >= "stable", report
    """
    wanted = (dtypes,) if isinstance(dtypes, str) else tuple(dtypes)
    found = implementations_of(target, claims, wanted)
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise TargetError(f"{target} stands for {len(found)} functions, must be one: {names}")
    plan = plan_for(found[0], level=level, profile=profile, seed=seed, dtypes=wanted)
    return report_of(judge(found[0], plan))


def implementations_of(target: Target, claims: Mapping[str, Any], dtypes: Iterable[str] = ()) -> list[Implementation]:
    """The implementations that a target stands for, whatever kind of target it is; see `check`."""
    if isinstance(target, Implementation):
        if claims:
            raise TargetError(f"{target.name} has its own claims, got {', '.join(claims)} too")
        return [target]
    if isinstance(target, str):
        return load(target, claims, dtypes)
    if not callable(target):
        raise TargetError(f"a target must be a string or callable, got {target!r:.60}")
    return [implementation_of(target, claims, dtypes)]


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
    asked = implementation.claims.level if level is None else level
    if asked not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, got {asked!r}")
    return Plan(profile_named(profile), seed, asked, tuple(dtypes))
