"""The seed of a run: a number, or one that nobody knows before it is printed."""

from __future__ import annotations

from typing import Any

import click

from gradlab.harness.seeds import drawn_seed

RANDOM = "random"


class Seed(click.ParamType[int]):
    """A number from 0 on, or "random"."""

    name = "seed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; for "random" one that is drawn, which a run with that number repeats."""
        if value == RANDOM:
            return drawn_seed()
        try:
            given = int(value)
        except ValueError:
            given = -1
        if given < 0:
            self.fail(f"must be a number from 0 on, or {RANDOM}, got {value!r:.60}", param, ctx)
        return given
