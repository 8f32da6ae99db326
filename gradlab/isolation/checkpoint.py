"""What earlier workers have left of a task, for the one that goes on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Checkpoint:
    """What earlier workers have left of a task.

    known: what calls did, by their keys. given_up: what no calls are made for any more, and what the last one did.
    cut_short: why nothing new is tried, or "". stops: whether that is because the task was asked to conclude, and not
    for harm; no foreign code runs then. kept: the bytes that the task kept last, b"" if none.
    began: when the task began (time.monotonic).
    """

    known: Mapping[bytes, str] = field(default_factory=dict)
    given_up: Mapping[str, str] = field(default_factory=dict)
    cut_short: str = ""
    stops: bool = False
    kept: bytes = b""
    began: float = 0.0
