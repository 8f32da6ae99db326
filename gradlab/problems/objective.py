"""What is being differentiated: the reduction and the options of a softmax cross-entropy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property

from gradlab.problems.options import MEANS, PER_ROW_OPTIONS, REAL_OPTIONS, REDUCTIONS, TARGETS

# What a second result may be besides the gradient by the logits, and how it is called in words.
DERIVATIVES = {
    "gradient": "gradient",
    "target_gradient": "target gradient",
    "hessian": "Hessian",
    "hessian_diagonal": "Hessian diagonal",
    "hessian_vector_product": "Hessian-vector product",
}


@dataclass(frozen=True, repr=False)
class Objective:
    """One loss out of the family that gradlab knows; the default is the mean over integer labels.

    reduction: "none" (one loss per row), "mean" or "sum".
    targets: "index" (labels, shape (N,)) or "probability" (targets, shape (N, K)).
    label_smoothing: epsilon in [0, 1]; a target t becomes (1 - epsilon) t + epsilon / K.
    class_weights: one weight >= 0 per class; class j's term -t_j log p_j is multiplied by it.
    ignore_index: rows with this label have loss and gradient 0 and do not count.
    softcap: c > 0; a logit x becomes c tanh(x/c), so that -inf and +inf become -c and c and mask nothing; inf is off.
    temperature: T > 0; every logit, after the softcap, is divided by it.
    z_loss: lambda >= 0; lambda lse^2 is added to the loss of every row that counts, whatever its weight, lse being
        log sum exp of the logits that the softmax gets.
    poly_epsilon: at least -1; that times sum_j t_j (1 - p_j) is added to each row's loss, weights and smoothing in t.
    sample_weights: one weight >= 0 per row; the row's loss, its terms too, and its gradient are multiplied by it. A row
        of weight 0 has loss and gradient 0 whatever its logits.
    upstream: one number per row, the derivative by its loss of whatever comes after, as a backward pass gets it; only
        with reduction "none". The row's gradient is multiplied by it: the derivative of sum_i upstream_i loss_i.
    mean_over: what the mean divides by, one of MEANS: "sum_of_weights" (with class weights and labels that is what
        torch does, with class weights and probabilities N), "number_of_rows" or "all_rows".
    derivative: what goes with the loss, all of the reduced loss: "gradient" by the logits (N, K), "target_gradient" by
        the probability targets, each for itself (N, K), and the second derivatives by the logits of a row: "hessian"
        (N, K, K), "hessian_diagonal" (N, K), "hessian_vector_product" with each row's own vector (N, K). All but the
        gradient go without the options of one number, and without upstream.

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
    sample_weights: tuple[float, ...] | None = None
    upstream: tuple[float, ...] | None = None
    mean_over: str = "sum_of_weights"
    derivative: str = "gradient"

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
        self._check_rows()
        others = {**self.real_options, **self.per_row_options}
        refusal = derivative_refusal(self.derivative, (self.targets,), others)
        if refusal is not None:
            raise ValueError(refusal)

    def _check_rows(self) -> None:
        if self.mean_over not in MEANS:
            raise ValueError(f"mean_over must be one of {', '.join(MEANS)}, got {self.mean_over!r}")
        for name, values in self.per_row_options.items():
            option = PER_ROW_OPTIONS[name]
            if not all(option.least <= value < math.inf and value > -math.inf for value in values):
                rule = f"finite and at least {option.least:g}" if option.least > -math.inf else "finite"
                raise ValueError(f"{name} must be {rule}, got {values!r:.200}")
            if self.reduction not in option.reductions:
                raise ValueError(f"{name} needs reduction {' or '.join(option.reductions)}, got {self.reduction}")

    def __repr__(self) -> str:
        """The fields, without the options of one number, or of one per row, that are off, and what is usual."""
        quiet = {*REAL_OPTIONS, *PER_ROW_OPTIONS, "mean_over"} - {*self.real_options, *self.per_row_options}
        quiet -= {"mean_over"} if self.is_by_another_rule else set()
        quiet |= {"derivative"} if self.is_first_order else set()
        shown = [f.name for f in fields(self) if f.name not in quiet]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    @cached_property
    def options(self) -> Mapping[str, object]:
        """The options that are switched on, by the keyword under which an implementation receives them."""
        on: dict[str, object] = {}
        if self.label_smoothing:
            on["label_smoothing"] = self.label_smoothing
        if self.class_weights is not None:
            on["class_weights"] = self.class_weights
        if self.ignore_index is not None:
            on["ignore_index"] = self.ignore_index
        return {**on, **self.real_options, **self.per_row_options}

    @cached_property
    def per_row_options(self) -> Mapping[str, tuple[float, ...]]:
        """Those of them that are one number for each row."""
        values = {name: getattr(self, name) for name in PER_ROW_OPTIONS}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def is_by_another_rule(self) -> bool:
        """Whether `mean_over` is not the default."""
        return self.mean_over != next(iter(MEANS))

    @property
    def counts_rows_alike(self) -> bool:
        """Whether a mean counts every row as it counts any other."""
        return self.class_weights is None and self.ignore_index is None and self.sample_weights is None

    @property
    def has_ruled_mean(self) -> bool:
        """Whether it is a mean with rows that do not all count alike, so that `mean_over` makes a difference."""
        return self.reduction == "mean" and not self.counts_rows_alike

    @property
    def is_first_order(self) -> bool:
        """Whether the derivative is the gradient by the logits."""
        return self.derivative == "gradient"

    @classmethod
    def real_names(cls) -> tuple[str, ...]:
        """The options that are one real number, in the order in which they are applied."""
        return tuple(field.name for field in fields(cls) if field.name in REAL_OPTIONS)

    @cached_property
    def real_options(self) -> Mapping[str, float]:
        """Those of them that are a map of the logits or a term of the rows' losses; empty where loss_i is
        sum_j t_ij (-log p_ij).
        """
        values = {name: getattr(self, name) for name in self.real_names()}
        return {name: value for name, value in values.items() if value != REAL_OPTIONS[name].neutral}


def derivative_refusal(derivative: str, targets: Iterable[str], options: Iterable[str]) -> str | None:
    """Why these kinds of targets and options do not go with a derivative, or None where they do."""
    if derivative not in DERIVATIVES:
        return f"derivative must be one of {', '.join(DERIVATIVES)}, got {derivative!r}"
    if derivative == "target_gradient" and tuple(targets) != ("probability",):
        return f"derivative target_gradient needs probability targets alone, got targets {', '.join(targets)}"
    left_out = (*REAL_OPTIONS, "upstream")
    unknown = [name for name in options if name in left_out]
    if derivative != "gradient" and unknown:
        return f"derivative {derivative} goes without {', '.join(left_out)}, got {unknown[0]}"
    return None


def derivative_shape(derivative: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a derivative for logits of this shape: a Hessian has one axis more."""
    return (*shape, *shape[1:]) if derivative == "hessian" else shape
