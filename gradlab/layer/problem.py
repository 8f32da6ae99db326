"""One instance of the layer: features, weight, bias, targets and an objective; frozen and validated.

A layer problem is a problem whose logits are not given but defined, here and nowhere else:

    Z = X W + b,    z_ij = sum_d x_id w_dj + b_j,

exactly, in the real numbers, whatever the arrays' dtype. The loss is that of `Problem` at these logits, reduced, and a
penalty. `LayerProblem.at_logits` makes that problem, so that what is known of targets and objectives is known here.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from dataclasses import fields as dataclass_fields
from functools import cached_property
from typing import Any

import numpy as np

from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import (
    Array,
    ComputedLogits,
    Problem,
    check_option_sizes,
    moderate_limit,
    validate_targets,
)
from gradlab.reference import layer_forms

OUTPUTS = ("loss", "dX", "dW", "db")  # what a layer may return: the loss, and its derivatives by X, W and b


@dataclass(frozen=True)
class Penalty:
    """What is added to the reduced loss for large weights: strength/2 |W|^2, or strength |W|^2 where not halved.

    |W|^2 is the sum of the squares of the entries; with takes_bias those of the bias are in it too.
    Raises ValueError where the strength is negative or not finite.
    """

    strength: float = 0.0
    halved: bool = True
    takes_bias: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength < math.inf:
            raise ValueError(f"the penalty's strength must be finite and at least 0, got {self.strength!r}")

    @property
    def is_on(self) -> bool:
        return self.strength > 0

    @property
    def slope(self) -> float:
        """What each weight is multiplied by in the penalty's derivative; the strength, or twice that."""
        return self.strength if self.halved else 2 * self.strength


@dataclass(frozen=True, eq=False)
class LayerProblem:
    """Features, weight and bias, of which the logits are made, targets and what to differentiate.

    features: (n_rows, n_features), float16, bfloat16, float32 or float64. weight: (n_features, n_classes), bias:
        (n_classes,) or None, both of the features' dtype.
    targets: as in `Problem`: integer labels (n_rows,), or probabilities (n_rows, n_classes) of the features' dtype.
    objective: as in `Problem`; its derivative is the gradient. penalty: of W, with reduction "mean" or "sum" alone.
    family: the name of the family it comes from, or "given".

    Any value is allowed in features, weight and bias, NaN and infinities too. Code is judged where `is_judged`: finite
    features and weight, and a bias that is finite or -inf. -inf masks the class in every row: probability 0, dW 0 in
    its column, and +inf as the loss where a row has it as its target. What the truth says elsewhere is in
    `gradlab.layer.truth`.

    The arrays are copied and made read-only. Equality and hash are by identity; `digest` compares contents.
    Raises ValueError or TypeError where shapes, dtypes or values do not fit.
    """

    features: Array
    weight: Array
    bias: Array | None
    targets: Array
    objective: Objective = field(default_factory=Objective)
    penalty: Penalty = field(default_factory=Penalty)
    family: str = "given"

    def __post_init__(self) -> None:
        features, weight = (np.array(one, copy=True, order="C") for one in (self.features, self.weight))
        _check_factors(features, weight)
        bias = None if self.bias is None else np.array(self.bias, copy=True, order="C")
        _check_bias(bias, weight)
        _check_objective(self.objective, self.penalty, bias)
        logits = np.broadcast_to(np.zeros((), features.dtype), (features.shape[0], weight.shape[1]))
        targets = validate_targets(np.array(self.targets, copy=True, order="C"), logits, self.objective)
        check_option_sizes(self.objective, logits)
        for name, values in (("features", features), ("weight", weight), ("bias", bias), ("targets", targets)):
            if values is not None:
                values.flags.writeable = False
            object.__setattr__(self, name, values)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by its fields alone: what it has worked out about itself stays behind."""
        return LayerProblem, tuple(getattr(self, one.name) for one in dataclass_fields(self))

    @property
    def n_rows(self) -> int:
        return int(self.features.shape[0])

    @property
    def n_features(self) -> int:
        return int(self.features.shape[1])

    @property
    def n_classes(self) -> int:
        return int(self.weight.shape[1])

    @property
    def n_entries(self) -> int:
        """How many numbers its largest array has, the logits counted: what decides how many problems are remembered."""
        return max(self.features.size, self.weight.size, self.n_rows * self.n_classes)

    @property
    def format(self) -> Format:
        return format_of(self.features.dtype)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What there is to be returned, out of OUTPUTS: without a bias no db."""
        return OUTPUTS if self.bias is not None else OUTPUTS[:-1]

    def shape_of(self, output: str) -> tuple[int, ...]:
        """The shape of one of OUTPUTS."""
        loss = (self.n_rows,) if self.objective.reduction == "none" else ()
        factors = {"dX": (self.n_rows, self.n_features), "dW": (self.n_features, self.n_classes)}
        return {"loss": loss, **factors, "db": (self.n_classes,)}[output]

    @cached_property
    def features64(self) -> Array:
        """The features in float64, exactly."""
        return _in_float64(self.features)

    @cached_property
    def weight64(self) -> Array:
        """The weight in float64, exactly."""
        return _in_float64(self.weight)

    @cached_property
    def bias64(self) -> Array:
        """The bias in float64, exactly; zeros where there is none."""
        return np.zeros(self.n_classes) if self.bias is None else _in_float64(self.bias)

    @cached_property
    def is_finite(self) -> bool:
        return all(bool(np.isfinite(one).all()) for one in (self.features64, self.weight64, self.bias64))

    @cached_property
    def is_judged(self) -> bool:
        """Whether features and weight are finite, and the bias is finite or -inf: the domain that code is judged on."""
        bias = self.bias64
        factors = all(bool(np.isfinite(one).all()) for one in (self.features64, self.weight64))
        return factors and not bool((np.isnan(bias) | (bias == np.inf)).any())

    def at_logits(self, logits: Array, computed: ComputedLogits | None = None) -> Problem:
        """The problem of some logits (n_rows, n_classes), with the targets and the objective of this one.

        computed: as in `Problem`. Probabilities are brought to the logits' dtype, which is exact where that is no
        narrower than the features'.
        """
        soft = self.objective.targets == "probability"
        targets = self.targets.astype(logits.dtype) if soft else self.targets
        return Problem(logits, targets, self.objective, self.family, computed=computed)

    @cached_property
    def float64_logits(self) -> Array:
        """The logits X W + b as float64 works them out: right to a few digits, which is enough for sizes."""
        with np.errstate(all="ignore"):
            return layer_forms.logits(self.features64, self.weight64, self.bias64)

    @cached_property
    def is_moderate(self) -> bool:
        """Whether every correct way of writing the layer works here, even without a shift.

        Features, weight and bias are finite, and they, and the sums of the sizes of what a logit is made of, are at
        most `moderate_limit`: so is every logit, whatever the order in which it is added up.
        """
        limit = moderate_limit(self.format, self.n_classes)
        if not self.is_finite or self.n_rows == 0 or limit <= 0:
            return False
        parts = np.abs(self.features64) @ np.abs(self.weight64) + np.abs(self.bias64)
        largest = max(float(np.abs(one).max()) for one in (self.features64, self.weight64, parts))
        return largest <= limit and self.at_logits(self.float64_logits).is_moderate

    @cached_property
    def digest(self) -> str:
        """A name for the contents: twelve hexadecimal digits, the same on every machine."""
        shape = (*self.features.shape, self.n_classes)
        parts = repr((self.features.dtype.name, shape, self.bias is None, self.objective, self.penalty)).encode()
        arrays = (self.features, self.weight, self.bias, self.targets)
        contents = b"".join(one.tobytes() for one in arrays if one is not None)
        return hashlib.sha256(parts + contents).hexdigest()[:12]

    def rows(self, places: Array | slice) -> LayerProblem:
        """The problem of some rows, in any order and each as often as it is named, with what is said of each row."""
        per_row = self.objective.per_row_options.items()
        kept = {name: tuple(np.asarray(values)[places].tolist()) for name, values in per_row}
        objective = replace(self.objective, **kept)  # type: ignore[arg-type]  # the keywords are Objective's own
        return self.replace(features=self.features[places], targets=self.targets[places], objective=objective)

    def replace(self, **changes: Any) -> LayerProblem:
        """The same problem with some fields changed."""
        fields: dict[str, Any] = {one.name: getattr(self, one.name) for one in dataclass_fields(self)}
        return LayerProblem(**{**fields, **changes})


def _in_float64(values: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def _check_factors(features: Array, weight: Array) -> None:
    format_of(features.dtype)
    if features.ndim != 2:
        raise ValueError(f"features must have shape (n_rows, n_features), got {features.shape}")
    if features.shape[1] < 1:
        raise ValueError("there must be at least one feature, got 0")
    if weight.ndim != 2 or weight.shape[0] != features.shape[1]:
        raise ValueError(f"weight must have shape ({features.shape[1]}, n_classes), got {weight.shape}")
    if weight.shape[1] < 1:
        raise ValueError("weight must have at least one class, got 0")
    if weight.dtype != features.dtype:
        raise TypeError(f"weight must have the features' dtype {features.dtype}, got {weight.dtype}")


def _check_bias(bias: Array | None, weight: Array) -> None:
    if bias is None:
        return
    if bias.shape != weight.shape[1:]:
        raise ValueError(f"bias must have shape ({weight.shape[1]},), one entry per class, got {bias.shape}")
    if bias.dtype != weight.dtype:
        raise TypeError(f"bias must have the features' dtype {weight.dtype}, got {bias.dtype}")


def _check_objective(objective: Objective, penalty: Penalty, bias: Array | None) -> None:
    if not objective.is_first_order:
        raise ValueError(f"a layer's derivative must be the gradient, got {objective.derivative}")
    if penalty.is_on and objective.reduction == "none":
        raise ValueError("a penalty needs reduction mean or sum, since it belongs to no row, got none")
    if penalty.takes_bias and (bias is None or (bias == -np.inf).any()):
        got = "none" if bias is None else "-inf"
        raise ValueError(f"a penalty that takes the bias needs one above -inf, got {got}")
