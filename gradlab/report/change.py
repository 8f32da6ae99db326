"""One difference between two reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One thing that differs, in words; is_regression where it is worse now."""

    implementation: str
    text: str
    is_regression: bool

    def __str__(self) -> str:
        return f"{'worse' if self.is_regression else 'changed'}: {self.implementation}  {self.text}"
