"""Answers of functions of a problem, remembered: of small problems many, of large ones no more than a few.

All that is remembered of a problem comes to a hundred bytes for each logit, which for a run with 2^17 classes in many
rows would be gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

LARGE = 2**13  # entries
FEW = 4  # the problem that is examined, and what a check makes of it

P = ParamSpec("P")
R = TypeVar("R")


def remember(most: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that remembers the answers for the latest `most` arguments; with large problems the latest FEW."""

    def remembering(function: Callable[P, R]) -> Callable[P, R]:
        of_small: Callable[..., R] = lru_cache(most)(function)
        of_large: Callable[..., R] = lru_cache(FEW)(function)

        @wraps(function)
        def remembered_or_new(*args: P.args, **kwargs: P.kwargs) -> R:
            for one in args:  # a loop, not `any` over a generator: it is gone through some 100,000 times a run
                if getattr(one, "n_entries", 0) > LARGE:  # of a problem, at the logits or at the layer
                    return of_large(*args, **kwargs)
            return of_small(*args, **kwargs)

        return remembered_or_new

    return remembering
