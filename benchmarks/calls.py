"""How many times a run calls a plain function of logits and labels, in float32 and float64.

python benchmarks/calls.py [quick standard thorough]
"""

from __future__ import annotations

import sys
from typing import Any

import gradlab
from gradlab.implementations.shifted import shifted


def calls_in(profile: str) -> int:
    """The calls of one run with this profile and seed 0."""
    calls = 0

    def counted(logits: Any, labels: Any) -> Any:
        nonlocal calls
        calls += 1
        return shifted(logits, labels)

    gradlab.check(counted, profile=profile, dtypes=("float32", "float64"))
    return calls


if __name__ == "__main__":
    for name in sys.argv[1:] or ("quick", "standard"):
        print(f"{name}: {calls_in(name):,} calls")
