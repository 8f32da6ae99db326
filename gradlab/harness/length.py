"""How long a run will take, told beforehand from its first calls where that is long."""

from __future__ import annotations

from gradlab.evaluation.claims import Claims
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES, Profile
from gradlab.harness.selection import questions_in_run

LONG = 120.0  # seconds: what takes less is not told
CALLS_OF_A_CHECK = 2.6  # that a check makes which makes calls of its own, on one problem, on average


def n_calls(claims: Claims, profile: Profile, dtypes: tuple[str, ...], seed: int) -> int:
    """About how many calls a run makes, without its search for smaller problems and its diagnosis."""
    questions = [one for dtype in dtypes for one in questions_in_run(claims, dtype, profile, seed)]
    checks = sum(check.makes_calls for one in questions for check in one.checks)
    return round(len(questions) + (CALLS_OF_A_CHECK if profile.asked != 0 else 1) * checks)


def notice_of_length(claims: Claims, plan: Plan, seconds: float) -> str:
    """What to tell of a run whose calls take so many seconds each, and how to have a shorter one; "" if it is short."""
    dtypes = plan.dtypes or claims.dtypes
    calls = n_calls(claims, plan.profile, dtypes, plan.seed)
    if calls * seconds < LONG:
        return ""
    told = f"{seconds:.2g} s a call, {plan.profile.name} makes about {calls:,}: {calls * seconds / 60:.0f} min"
    if calls * seconds > 60 * plan.minutes:
        told += f", of which `--minutes` allows {plan.minutes:g}"
    shortest = next(iter(PROFILES.values()))
    if plan.profile is shortest:
        return told
    fewer = n_calls(claims, shortest, dtypes, plan.seed)
    return f"{told}; `--profile {shortest.name}` makes {fewer:,}"
