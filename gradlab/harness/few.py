"""A few problems out of many, for the shortest profile."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=4)  # by the very objects that the problems are
def few_of_each(problems: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    """The first problem of so many families, at even distances in their order."""
    first = {problem.family: problem for problem in reversed(problems)}
    families = list(dict.fromkeys(problem.family for problem in problems))
    number = min(number, len(families))
    return tuple(first[families[i * len(families) // number]] for i in range(number))
