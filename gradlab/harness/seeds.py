"""Seeds of runs that nobody knows before."""

from __future__ import annotations

import secrets

SEEDS = 1 << 32  # as many may be drawn: too many for a table of answers


def drawn_seed() -> int:
    """A seed from 0 on, below SEEDS."""
    return secrets.randbelow(SEEDS)
