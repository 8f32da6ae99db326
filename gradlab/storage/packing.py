"""Long lists of words in which few follow one another, such as a row of equal logits, as runs: [how often, word]."""

from __future__ import annotations

from itertools import groupby
from typing import Any

LONG = 512  # words
SAVED = 8  # words that a run stands for on average, at least
MAX_WORDS = 2**26  # of a list that is unpacked: a file of a few bytes must not fill the memory
RUNS = "runs"


def pack(plain: Any) -> Any:
    """Plain data with long lists of few runs as {"runs": [[count, word], ...]}."""
    if isinstance(plain, dict):
        return {name: pack(value) for name, value in plain.items()}
    if not isinstance(plain, list):
        return plain
    if len(plain) < LONG or not isinstance(plain[0], str):
        return [pack(one) for one in plain]
    runs = [[sum(1 for _ in some), word] for word, some in groupby(plain)]
    return {RUNS: runs} if SAVED * len(runs) <= len(plain) else plain


def unpack(plain: Any) -> Any:
    """What `pack` was given. Raises ValueError for runs that are none."""
    if isinstance(plain, list):
        return [unpack(one) for one in plain] if any(isinstance(one, list | dict) for one in plain) else plain
    if not isinstance(plain, dict):
        return plain
    if set(plain) != {RUNS}:
        return {name: unpack(value) for name, value in plain.items()}
    runs = plain[RUNS]
    if not (isinstance(runs, list) and all(map(_is_run, runs)) and sum(count for count, _ in runs) <= MAX_WORDS):
        raise ValueError(f"runs must be pairs of a count and a word, {MAX_WORDS} words at most, got {runs!r:.60}")
    return [word for count, word in runs for _ in range(count)]


def _is_run(run: object) -> bool:
    if not (isinstance(run, list) and len(run) == 2):
        return False
    count, word = run
    return isinstance(count, int) and not isinstance(count, bool) and count >= 1 and isinstance(word, str)
