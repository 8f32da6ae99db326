"""What is known of an implementation without its function, and names that tell several apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from gradlab.evaluation.claims import Claims


class Claimant(Protocol):
    """Something with a name, a target that leads to it, and claims: an implementation, or one loaded elsewhere."""

    @property
    def name(self) -> str: ...

    @property
    def target(self) -> str: ...

    @property
    def claims(self) -> Claims: ...


def distinct_names(found: Sequence[Claimant]) -> list[str]:
    """Their names; the target in the place of a name that several share."""
    counts = Counter(one.name for one in found)
    return [one.target if counts[one.name] > 1 else one.name for one in found]
