"""A function that does nothing: what a call of it takes is what every call of a judged process takes."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["loss"]


def loss(logits: Any, labels: Any, **options: Any) -> tuple[float, Any]:
    """No loss, and an array of the logits' shape with whatever is in it."""
    return 0.0, np.empty_like(logits)
