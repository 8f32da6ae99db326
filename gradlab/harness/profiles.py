"""How much is tried: four profiles, counted in problems and never in seconds, so that a seed repeats a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """How many problems a run tries.

    families: which families and sizes, "quick", "standard" or "thorough". examples: problems that Hypothesis draws
    per dtype. shrinks: failing checks for which a smallest problem is searched; shrink_examples: problems tried for
    each before it is given up. asked: on how many problems in each dtype a check is asked that makes calls of its own;
    on all if None. most: of how many families there is one problem in each dtype; all of all if None.
    unforeseen: problems in each dtype of a seed that nobody knows, at the end of a judged run.
    minutes: after which a run is cut short, unless said otherwise.
    """

    name: str
    families: str
    examples: int
    shrinks: int
    shrink_examples: int
    asked: int | None = None
    most: int | None = None
    minutes: float = 10.0
    unforeseen: int = 16


PROFILES = {
    "smoke": Profile("smoke", "quick", 0, 0, 0, asked=0, most=10),
    "quick": Profile("quick", "quick", 40, 1, 60, asked=12),
    "standard": Profile("standard", "standard", 600, 4, 200, asked=60),
    "thorough": Profile("thorough", "thorough", 10_000, 60, 1000, minutes=240.0),
}


def profile_named(name: str) -> Profile:
    """The profile called `name`. Raises ValueError that lists the names there are."""
    if name not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, got {name!r}")
    return PROFILES[name]
