"""A loop that has a kernel written again until a judge is content: whoever writes it reads what the judge says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gradlab

Write = Callable[[str], str | None]  # what was said of the last source, "" at first -> the next one, None: no more


@dataclass(frozen=True)
class Attempt:
    """A source, and what it came to."""

    source: str
    judgement: gradlab.Judgement


def improve(write: Write, folder: Path, *, seed: int | None = None, rounds: int = 10) -> list[Attempt]:
    """All attempts; the best is the one with the largest reward. Every attempt gets problems of its own.

    write: a person, a program or a model. folder: where each source is put in a file, as `loss`.
    """
    attempts: list[Attempt] = []
    said = ""
    for number in range(rounds):
        source = write(said)
        if source is None:
            break
        path = folder / f"kernel_{number}.py"
        path.write_text(source)
        judgement = gradlab.judge(f"{path}:loss", seed=None if seed is None else seed + number, dtypes="float32")
        attempts.append(Attempt(source, judgement))
        said = judgement.text
    return attempts
