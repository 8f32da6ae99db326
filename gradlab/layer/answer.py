"""What came back from one call of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gradlab.layer.problem import OUTPUTS
from gradlab.problems.problem import Array


@dataclass(frozen=True, eq=False)
class LayerAnswer:
    """What came back from one call of a layer, in the layout of the problem, each as returned.

    loss: shape () or (N,). dX: (N, D). dW: (D, K). db: (K,). None for what is not claimed to be returned, and all of
    them where there is a fault.
    fault, raised, noise, changed: as in `Answer`.
    """

    loss: Array | None = None
    dX: Array | None = None  # the names of the field
    dW: Array | None = None  # the same
    db: Array | None = None
    fault: str | None = None
    raised: str | None = None
    noise: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def outputs(self) -> Mapping[str, Array]:
        """What there is of loss, dX, dW and db, by name."""
        found = {name: getattr(self, name) for name in OUTPUTS}
        return {name: array for name, array in found.items() if array is not None}
