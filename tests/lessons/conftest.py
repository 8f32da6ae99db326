"""Lessons as a student has them."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

SOLUTIONS = Path(__file__).parent / "solutions"


def solution(name: str) -> str:
    """The source of a solution."""
    return (SOLUTIONS / f"{name}.py").read_text()


def function_in(path: Path) -> Callable[..., Any]:
    """The function `loss` of a file."""
    found: Callable[..., Any] = runpy.run_path(str(path))["loss"]
    return found
