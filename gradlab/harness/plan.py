"""What a run is to try, and how far it has come."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from gradlab.evaluation.call import Implementation
from gradlab.harness.profiles import PROFILES, Profile


@dataclass(frozen=True)
class Plan:
    """What a run is to try: profile, seed, the level to be met and the dtypes (those claimed, if none are given).

    power: whether to reckon, once the level is met, what the run would have caught.
    minutes: after which it is cut short. curves: whether to work out at the end what a page draws, in a second or two.
    """

    profile: Profile = PROFILES["standard"]
    seed: int = 0
    level: str = "stable"
    dtypes: tuple[str, ...] = ()
    power: bool = True
    minutes: float = math.inf
    curves: bool = False


def dtypes_to_check(implementation: Implementation, plan: Plan) -> tuple[str, ...]:
    """The dtypes of the plan, or all that are claimed. Raises ValueError for one that is not claimed."""
    claimed = implementation.claims.dtypes
    for dtype in plan.dtypes:
        if dtype not in claimed:
            raise ValueError(f"{implementation.name} claims the dtypes {', '.join(claimed)}, not {dtype}")
    return plan.dtypes or claimed


@dataclass(frozen=True)
class Progress:
    """Where a run is: which implementation and dtype, what it is doing, and how many of how many problems are done.

    notice: what is to be told once, that the run takes long; "" unless it does.
    """

    name: str
    dtype: str
    phase: str
    done: int
    total: int
    n_failing: int
    notice: str = ""


Watch = Callable[[Progress], None]
