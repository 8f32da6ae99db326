"""Files with losses, right and wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gradlab.isolation.limits import Limits

LIMITS = Limits(call_seconds=300.0, load_seconds=300.0)  # a busy machine takes its time
Written = Callable[[str], str]

RIGHT = """
import os
import numpy as np

CALLS = 0

def loss(logits, labels):
    global CALLS
    CALLS += 1
    rows = np.arange(len(labels))
    d = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(d)
    s = e.sum(axis=1)
    p = e / s[:, None]
    p[rows, labels] -= 1
    gradient = p / p.dtype.type(len(labels))
    return np.mean(np.log(s) - d[rows, labels]), gradient
"""
# Each with the line of RIGHT that it has otherwise.
NOT_AVERAGED = RIGHT.replace("p / p.dtype.type(len(labels))", "p")
NOT_SHIFTED = RIGHT.replace("logits.max(axis=1, keepdims=True)", "logits.dtype.type(0)")


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a source into a file of its own; the target that its `loss` is."""

    def write(source: str) -> str:
        path = tmp_path / f"kernel_{len(list(tmp_path.glob('kernel_*.py')))}.py"
        path.write_text(source)
        return f"{path}:loss"

    return write
