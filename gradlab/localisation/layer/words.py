"""Names of outputs in a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str]) -> str:
    """ "dX, dW and db"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def are(names: Sequence[str]) -> str:
    """The verb that goes with them."""
    return "is" if len(names) == 1 else "are"
