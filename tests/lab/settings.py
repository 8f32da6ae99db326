"""Random settings of the lab's page of forms: a row of logits in a dtype, and its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.problems.dtypes import Format, format_of

Array = np.ndarray[Any, np.dtype[Any]]
DTYPES = ("float16", "float32", "float64")
N_SETTINGS = 10_000
_WIDEST = {"float16": 30.0, "float32": 240.0, "float64": 1600.0}  # beyond the margin at which exp is 0


@dataclass(frozen=True)
class Setting:
    """Logits (K,) of a dtype and the label, with the format of the dtype."""

    logits: Array
    label: int
    format: Format


def draw(dtype: str, count: int = N_SETTINGS) -> list[Setting]:
    """Rows of 2 to 5 classes: any margin up to where exp vanishes, any offset, some rows on a grid, some with ties."""
    random = np.random.default_rng(19)
    fmt = format_of(dtype)
    return [_draw_one(random, fmt) for _ in range(count)]


def _draw_one(random: np.random.Generator, fmt: Format) -> Setting:
    n_classes = int(random.integers(2, 6))
    width = _WIDEST[fmt.name] * random.choice([1.0, 0.1, 0.01, 1e-4])
    offset = random.choice([0.0, 0.0, 1.0, -1.0]) * _WIDEST[fmt.name] * random.random()
    logits = offset + width * (random.random(n_classes) - 0.5)
    if random.random() < 0.3:
        logits = np.round(logits)
    return Setting(logits.astype(fmt.dtype), int(random.integers(n_classes)), fmt)


def as_data(settings: list[Setting]) -> dict[str, Any]:
    """The settings for the scripts of the lab; float16 and float32 logits are the float64 of the same value."""
    rows = [{"logits": one.logits.astype(np.float64).tolist(), "label": one.label} for one in settings]
    return {"format": settings[0].format.name, "rows": rows}


def padded(settings: list[Setting]) -> tuple[Array, Array]:
    """Logits (N, 5), where a class that a row does not have is -inf, and labels (N,)."""
    logits = np.full((len(settings), 5), -np.inf, dtype=settings[0].logits.dtype)
    for row, one in zip(logits, settings, strict=True):
        row[: len(one.logits)] = one.logits
    return logits, np.array([one.label for one in settings])
