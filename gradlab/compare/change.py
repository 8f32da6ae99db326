"""One difference between two reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Plain = Mapping[str, Any]


class Effect(StrEnum):
    """What a difference is to a user; the order is that of a summary."""

    WORSE = "worse"
    BETTER = "better"
    CHANGED = "changed"  # neither


@dataclass(frozen=True)
class Change:
    """One thing that differs, in words, and whether it is worse now, better or neither."""

    implementation: str
    text: str
    effect: Effect

    @property
    def is_regression(self) -> bool:
        """Whether it is worse now."""
        return self.effect is Effect.WORSE

    def __str__(self) -> str:
        return f"{self.effect}: {self.implementation}  {self.text}"


def worse_if(is_worse: bool) -> Effect:
    """The effect of a difference that has two directions."""
    return Effect.WORSE if is_worse else Effect.BETTER


def count_line(found: Sequence[Change]) -> str:
    """How many there are, and how many of them are for the worse and for the better."""
    worse, better = (sum(one.effect is effect for one in found) for effect in (Effect.WORSE, Effect.BETTER))
    return f"{len(found)} {'change' if len(found) == 1 else 'changes'}, {worse} for the worse, {better} for the better"
