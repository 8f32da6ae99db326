"""Files with losses, right and wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.judged.conftest import SOURCE

Written = Callable[[str], str]

RIGHT = (
    SOURCE
    + """
CALLS = 0

def loss(logits, labels):
    global CALLS
    CALLS += 1
    value, gradient = right(logits, labels)
    return value, gradient
"""
)
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
