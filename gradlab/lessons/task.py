"""What an exercise asks of a function, and how far it is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradlab.harness.profiles import Profile

# One problem of each family, a few that are drawn, no sizes; none of a seed that nobody knows, so that a seed repeats.
EXERCISE = Profile("exercise", "quick", 24, 1, 60, asked=4, most=100, minutes=2.0, unforeseen=0)


@dataclass(frozen=True)
class Task:
    """What is asked of a submission.

    claims: what its function is held to, over what it claims itself. level: the verdict that passes, "stable" or
    "accurate". profile: how much is tried. later: checks and known defects that another lesson is about, which are not
    held against it here. hints: by known defect, a sentence that says what kind of mistake it is, and no more; other
    defects have the sentence of their kind.
    """

    claims: Mapping[str, Any] = field(default_factory=dict)
    level: str = "stable"
    profile: Profile = EXERCISE
    later: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)
