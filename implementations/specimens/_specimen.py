"""What is known about code with one known defect; plain data, beside the code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._right import Answer

NOT_SEEN = "in no public thread that we know"


@dataclass(frozen=True)
class Specimen:
    """The smallest code with one known defect and no other.

    function: (logits, labels) -> (loss, gradient); its name identifies the defect, its first line says what it does.
    wrong: what is wrong, in one line of mathematics. mend: what to write in its place.
    logits, labels: the smallest problem that shows it. options: what is switched on in that problem.
    killed_by: the check that must reject it. seen: public threads in which it was reported.
    claims: as for any implementation; the mean over labels in float32 and float64 unless said otherwise.
    """

    function: Callable[..., Answer]
    wrong: str
    mend: str
    logits: Any
    labels: Any
    killed_by: str
    seen: str = NOT_SEEN
    options: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The identifier of the defect."""
        return self.function.__name__

    @property
    def takes_any_reduction(self) -> bool:
        """Whether the function has the keyword `reduction`, so that it shows the defect with each of them."""
        return "reduction" in inspect.signature(self.function).parameters


def claims_of(specimens: Iterable[Specimen]) -> dict[str, Mapping[str, Any]]:
    """The claims of each specimen, by the name of its function."""
    return {specimen.name: specimen.claims for specimen in specimens}
