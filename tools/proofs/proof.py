"""What a proof by machine is: a script, what it is to show, and which code it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

U32, U = 2.0**-24, 2.0**-53  # the unit roundoff of float32 and of float64


@dataclass(frozen=True)
class Proof:
    """One script that Gappa or Sollya runs.

    step: of docs/accuracy.md, by name. statement: what is shown, in words and formulas. claims: by name in the script,
    the largest size that is allowed to what it proves. values: what fills the places of the template. code: the
    functions, (file, name), whose operations the script repeats. products: see `scripts`. where: of several scripts of
    one statement, what this one speaks of.
    """

    name: str
    step: str
    statement: str
    template: str
    claims: Mapping[str, float]
    values: Mapping[str, str]
    code: tuple[tuple[str, str], ...] = ()
    products: str = "separate"
    where: str = ""

    @property
    def tool(self) -> str:
        """gappa or sollya."""
        return Path(self.template).suffix.removeprefix(".")
