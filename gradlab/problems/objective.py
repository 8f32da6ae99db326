"""What is being differentiated: the reduction and the options of a softmax cross-entropy."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

REDUCTIONS = ("none", "mean", "sum")
TARGETS = ("index", "probability")


@dataclass(frozen=True)
class RealOption:
    """What has to be said of an option that is one real number, besides its mathematics in `symbolic/options.py`.

    neutral: the value at which it is off. above: what every value is greater than, or, where `closed`, not less than;
    it is finite where it is on. tried: values that problems switch on, the simplest first; drawn: between which two
    others are drawn. shift_invariant: whether a constant added to every logit still changes nothing, so that each row
    of the gradient sums to 0. meaning: in words.
    """

    neutral: float
    above: float
    closed: bool
    tried: tuple[float, ...]
    drawn: tuple[float, float]
    shift_invariant: bool
    meaning: str

    def refusal(self, value: float) -> str | None:
        """Which range a value is out of, or None."""
        if value == self.neutral or (self.above < value < math.inf) or (self.closed and value == self.above):
            return None
        return f"must be finite and {'at least' if self.closed else 'above'} {self.above:g}"


# fmt: off
REAL_OPTIONS = {
    "softcap": RealOption(
        math.inf, 0.0, False, (2.0, 30.0, 0.7), (0.5, 100.0), False,
        "each logit x becomes c tanh(x/c), c being the softcap, before the softmax",
    ),
    "temperature": RealOption(
        1.0, 0.0, False, (2.0, 0.5, 0.7), (0.05, 20.0), True,
        "each logit is divided by the temperature before the softmax, after any softcap",
    ),
    "z_loss": RealOption(
        0.0, 0.0, True, (0.25, 1e-4, 2.0), (0.0, 4.0), False,
        "to each row's loss is added z_loss times the square of its log-sum-exp",
    ),
    "poly_epsilon": RealOption(
        0.0, -1.0, True, (2.0, 0.1, -1.0), (-1.0, 6.0), True,
        "to each row's loss is added poly_epsilon times the sum of t_j (1 - p_j)",
    ),
}
# fmt: on


@dataclass(frozen=True, repr=False)
class Objective:
    """One loss out of the family that gradlab knows; the default is the mean over integer labels.

    reduction: "none" (one loss per row), "mean" or "sum".
    targets: "index" (labels, shape (N,)) or "probability" (targets, shape (N, K)).
    label_smoothing: epsilon in [0, 1]; a target t becomes (1 - epsilon) t + epsilon / K.
    class_weights: one weight >= 0 per class; class j's term -t_j log p_j is multiplied by it. With index
        targets the mean divides by the sum of the labels' weights, with probability targets by N (as torch does).
    ignore_index: rows with this label have loss and gradient 0 and are left out of the mean's denominator.
    softcap: c > 0; a logit x becomes c tanh(x/c), so that -inf and +inf become -c and c and mask nothing; inf is off.
    temperature: T > 0; every logit, after the softcap, is divided by it.
    z_loss: lambda >= 0; lambda lse^2 is added to the loss of every row that counts, whatever its weight, lse being
        log sum exp of the logits that the softmax gets.
    poly_epsilon: at least -1; that times sum_j t_j (1 - p_j) is added to each row's loss, weights and smoothing in t.

    Raises ValueError where an option is outside its range.
    """

    reduction: str = "mean"
    targets: str = "index"
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    ignore_index: int | None = None
    softcap: float = math.inf
    temperature: float = 1.0
    z_loss: float = 0.0
    poly_epsilon: float = 0.0

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
        for name in self.real_names():
            value = getattr(self, name)
            refusal = REAL_OPTIONS[name].refusal(value)
            if refusal is not None:
                raise ValueError(f"{name} {refusal}, got {value!r}")

    def __repr__(self) -> str:
        """The fields, without the real options that are off."""
        shown = [f.name for f in fields(self) if f.name not in REAL_OPTIONS or f.name in self.real_options()]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def options(self) -> dict[str, object]:
        """The options that are switched on, by the keyword under which an implementation receives them."""
        on: dict[str, object] = {}
        if self.label_smoothing:
            on["label_smoothing"] = self.label_smoothing
        if self.class_weights is not None:
            on["class_weights"] = self.class_weights
        if self.ignore_index is not None:
            on["ignore_index"] = self.ignore_index
        return {**on, **self.real_options()}

    @classmethod
    def real_names(cls) -> tuple[str, ...]:
        """The options that are one real number, in the order in which they are applied."""
        return tuple(field.name for field in fields(cls) if field.name in REAL_OPTIONS)

    def real_options(self) -> dict[str, float]:
        """Those of them that are a map of the logits or a term of the rows' losses; empty where loss_i is
        sum_j t_ij (-log p_ij).
        """
        values = {name: getattr(self, name) for name in self.real_names()}
        return {name: value for name, value in values.items() if value != REAL_OPTIONS[name].neutral}
