"""What a bound on an error is: how large the error may be, and where that comes from."""

from __future__ import annotations

from typing import NamedTuple

from gradlab.problems.problem import Array


class Bound(NamedTuple):
    """error: the largest that is allowed, of the answer's shape; source: in words, for people."""

    error: Array
    source: str
