"""What is being differentiated: the reduction and the options of a softmax cross-entropy."""

from __future__ import annotations

import math
from dataclasses import dataclass

REDUCTIONS = ("none", "mean", "sum")
TARGETS = ("index", "probability")


@dataclass(frozen=True)
class Objective:
    """One loss out of the family that gradlab knows; the default is the mean over integer labels.

    reduction: "none" (one loss per row), "mean" or "sum".
    targets: "index" (labels, shape (N,)) or "probability" (targets, shape (N, K)).
    label_smoothing: epsilon in [0, 1]; a target t becomes (1 - epsilon) t + epsilon / K.
    class_weights: one weight >= 0 per class; class j's term -t_j log p_j is multiplied by it. With index
        targets the mean divides by the sum of the labels' weights, with probability targets by N (as torch does).
    ignore_index: rows with this label have loss and gradient 0 and are left out of the mean's denominator.

    Raises ValueError where an option is outside its range.
    """

    reduction: str = "mean"
    targets: str = "index"
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    ignore_index: int | None = None

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}, got {self.reduction!r}")
        if self.targets not in TARGETS:
            raise ValueError(f"targets must be one of {', '.join(TARGETS)}, got {self.targets!r}")
        if not 0.0 <= self.label_smoothing <= 1.0:
            raise ValueError(f"label_smoothing must lie in [0, 1], got {self.label_smoothing!r}")
        if self.class_weights is not None and not all(0 <= w < math.inf for w in self.class_weights):
            raise ValueError(f"class_weights must be finite and at least 0, got {self.class_weights!r}")
        if self.ignore_index is not None and self.targets != "index":
            raise ValueError("ignore_index needs index targets, got probability targets")

    def options(self) -> dict[str, object]:
        """The options that are switched on, by the keyword under which an implementation receives them."""
        on: dict[str, object] = {}
        if self.label_smoothing:
            on["label_smoothing"] = self.label_smoothing
        if self.class_weights is not None:
            on["class_weights"] = self.class_weights
        if self.ignore_index is not None:
            on["ignore_index"] = self.ignore_index
        return on
