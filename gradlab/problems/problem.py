"""One instance to be solved: logits, targets and an objective; frozen and validated."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from dataclasses import fields as dataclass_fields
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.mapping import map_logits, maps_logits
from gradlab.problems.objective import Objective

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, int]  # (n_rows, n_classes)

PRODUCT = "hessian_vector_product"  # the derivative that needs a vector


class AnyProblem(Protocol):
    """What a problem of every scope has: the objective, a digest of its contents, sizes and its family.

    is_moderate: whether every correct way of writing the answer works here, so that failing is wrong and not unstable.
    """

    @property
    def objective(self) -> Objective: ...

    @property
    def family(self) -> str: ...

    @property
    def digest(self) -> str: ...

    @property
    def format(self) -> Format: ...

    @property
    def n_rows(self) -> int: ...

    @property
    def n_classes(self) -> int: ...

    @property
    def n_entries(self) -> int: ...

    @property
    def is_moderate(self) -> bool: ...


@dataclass(frozen=True, eq=False)
class ComputedLogits:
    """What the bounds have to know of logits that code works out itself, as a layer does.

    errors: how far each may be off in what the code goes on with, (n_rows, n_classes), float64, finite and at least 0.
    dtype: the name of the dtype that the code works in, whatever the one in which the problem holds the logits.
    """

    errors: Array
    dtype: str

    def __post_init__(self) -> None:
        format_of(self.dtype)
        errors = np.array(self.errors, dtype=np.float64, copy=True)
        if not (np.isfinite(errors) & (errors >= 0)).all():
            raise ValueError("errors of computed logits must be finite and at least 0")
        errors.flags.writeable = False
        object.__setattr__(self, "errors", errors)


@dataclass(frozen=True, eq=False)
class Problem:
    """Logits of shape (n_rows, n_classes), targets and what to differentiate.

    logits: float16, bfloat16, float32 or float64; any value is allowed, NaN and infinities too.
    targets: integer labels of shape (n_rows,) for index targets, otherwise probabilities of the logits' shape
        and dtype, finite and at least 0 (they need not sum to 1).
    vector: what each row's Hessian is multiplied by, finite, of the logits' shape and dtype; None for every other
        derivative.
    computed: None where the logits are given, as they are to code at this level.
    family: the name of the stress family it comes from, or "given".

    The arrays are copied and made read-only, unless they are read-only and nothing but themselves. Equality and hash
    are by identity; `digest` compares contents.
    Raises ValueError or TypeError where shapes, dtypes or values do not fit.
    """

    logits: Array
    targets: Array
    objective: Objective = field(default_factory=Objective)
    family: str = "given"
    vector: Array | None = None
    computed: ComputedLogits | None = None

    def __post_init__(self) -> None:
        logits = _own(self.logits)
        format_of(logits.dtype)
        if logits.ndim != 2:
            raise ValueError(f"logits must have shape (n_rows, n_classes), got {logits.shape}")
        if logits.shape[1] < 1:
            raise ValueError("logits must have at least one class, got 0")
        targets = validate_targets(_own(self.targets), logits, self.objective)
        check_option_sizes(self.objective, logits)
        vector = _validated_vector(self.vector, logits, self.objective)
        if self.computed is not None and self.computed.errors.shape != logits.shape:
            got = self.computed.errors.shape
            raise ValueError(f"errors of computed logits must have the logits' shape {logits.shape}, got {got}")
        object.__setattr__(self, "vector", vector)
        logits.flags.writeable = False
        targets.flags.writeable = False
        object.__setattr__(self, "logits", logits)
        object.__setattr__(self, "targets", targets)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by its fields alone: what it has worked out about itself stays behind."""
        return Problem, tuple(getattr(self, name) for name in _FIELDS)

    @cached_property
    def n_rows(self) -> int:
        return int(self.logits.shape[0])

    @cached_property
    def n_classes(self) -> int:
        return int(self.logits.shape[1])

    @cached_property
    def n_entries(self) -> int:
        """How many logits it has: what decides how many problems are remembered."""
        return int(self.logits.size)

    @cached_property
    def format(self) -> Format:
        """The format that code works in."""
        return format_of(self.logits.dtype if self.computed is None else self.computed.dtype)

    @cached_property
    def logits64(self) -> Array:
        """The logits in float64, exactly."""
        with np.errstate(invalid="ignore"):
            return self.logits.astype(np.float64)

    @cached_property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self.logits64).all())

    @cached_property
    def ignored_rows(self) -> Array:
        """Which rows carry the label to be ignored; boolean, shape (n_rows,)."""
        if self.objective.ignore_index is None:
            return np.zeros(self.n_rows, dtype=bool)
        return np.asarray(self.targets == self.objective.ignore_index)

    @cached_property
    def weightless_rows(self) -> Array:
        """Which rows have the sample weight 0; boolean, shape (n_rows,)."""
        weights = self.objective.sample_weights
        return np.zeros(self.n_rows, dtype=bool) if weights is None else np.asarray(weights) == 0

    @cached_property
    def mapped64(self) -> Array:
        """What the softmax gets, in float64: the logits after softcap and temperature, (n_rows, n_classes).

        Rounded where there are such; infinite where that overflows, in float64.
        """
        return np.asarray(map_logits(self.objective, self.logits64)[0])

    @cached_property
    def _limits(self) -> Array:
        """What becomes of the logits that are infinite or NaN, shape (n_rows, n_classes); 0 for the finite ones."""
        return np.asarray(map_logits(self.objective, np.where(np.isfinite(self.logits64), 0.0, self.logits64))[0])

    @cached_property
    def masked(self) -> Array:
        """Which classes have probability 0 whatever the others are, their mapped logits being -inf; (N, K)."""
        return np.asarray(self._limits == -np.inf)

    @cached_property
    def rows_with_value(self) -> Array:
        """Which rows have a loss: no NaN, no +inf, not only -inf in what the softmax gets; boolean, shape (n_rows,)."""
        if self.is_finite and not maps_logits(self.objective):
            return np.ones(self.n_rows, dtype=bool)
        x = self._limits
        return np.asarray(~(np.isnan(x).any(1) | (x == np.inf).any(1) | (x == -np.inf).all(1)))

    @cached_property
    def is_moderate(self) -> bool:
        """Whether every correct way of writing the loss works here, even without a shift.

        All logits, as given and mapped, are finite and at most `moderate_limit` in size, so that products of two
        probabilities, and exp of every logit, are normal numbers. Failing here is an error of mathematics, not of
        stability.
        """
        if not self.is_finite:
            return False
        limit = moderate_limit(self.format, self.n_classes)
        if self.n_rows == 0 or limit <= 0:
            return False
        return bool(np.abs(self.logits64).max() <= limit and np.abs(self.mapped64).max() <= limit)

    @cached_property
    def digest(self) -> str:
        """A name for the contents: twelve hexadecimal digits, the same on every machine."""
        parts = repr((self.logits.dtype.name, self.logits.shape, self.objective)).encode()
        contents = (
            self.logits.tobytes() + self.targets.tobytes() + (b"" if self.vector is None else self.vector.tobytes())
        )
        return hashlib.sha256(parts + contents).hexdigest()[:12]

    def rows(self, places: Array | slice) -> Problem:
        """The problem of some rows, in any order and each as often as it is named, with what is said of each row."""
        of_rows = {
            name: tuple(np.asarray(values)[places].tolist()) for name, values in self.objective.per_row_options.items()
        }
        objective = self.objective
        if of_rows:
            objective = replace(objective, **of_rows)  # type: ignore[arg-type]  # the keywords are Objective's own
        vector = None if self.vector is None else self.vector[places]
        computed = self.computed and replace(self.computed, errors=self.computed.errors[places])
        arrays = {"logits": self.logits[places], "targets": self.targets[places], "vector": vector}
        return self.replace(**arrays, objective=objective, computed=computed)

    def replace(self, **changes: Any) -> Problem:
        """The same problem with some fields changed; a vector that the objective does not need is left out."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS}
        fields.update(changes)
        if fields["objective"].derivative != PRODUCT:
            fields["vector"] = None
        return Problem(**fields)


def _own(array: Array) -> Array:
    """The array where nobody writes to it, as those of another problem; else a copy of it, in C order."""
    if type(array) is np.ndarray and not array.flags.writeable and array.flags.owndata and array.flags.c_contiguous:
        return array
    return np.array(array, copy=True, order="C")


_FIELDS = tuple(one.name for one in dataclass_fields(Problem))


def moderate_limit(fmt: Format, n_classes: int) -> float:
    """The largest size of a logit for which every form is safe: log(1/smallest_normal)/4 - log(K)/2.

    p_j >= exp(-2 L)/K, so p_j^2 >= smallest_normal as long as 2 (2 L + log K) <= log(1/smallest_normal).
    18 for float32 and 173 for float64 at K = 1000; negative (nothing is moderate) for float16 from K = 128 on.
    """
    return float(-np.log(fmt.smallest_normal) / 4 - np.log(n_classes) / 2)


def check_option_sizes(objective: Objective, logits: Array) -> None:
    """Raises ValueError where an option has not one number for each class, or for each row, or the dtype has not it."""
    weights = objective.class_weights
    if weights is not None and len(weights) != logits.shape[1]:
        raise ValueError(f"class_weights must have {logits.shape[1]} entries, one per class, got {len(weights)}")
    for name, values in objective.per_row_options.items():
        if len(values) != len(logits):
            raise ValueError(f"{name} must have {len(logits)} entries, one per row, got {len(values)}")
        if values and max(map(abs, values)) > format_of(logits.dtype).largest:
            raise ValueError(f"{name} must be finite in {logits.dtype}, got {max(values, key=abs)!r}")


def _validated_vector(vector: Array | None, logits: Array, objective: Objective) -> Array | None:
    if objective.derivative != PRODUCT:
        if vector is not None:
            raise ValueError(f"a vector goes with derivative {PRODUCT} alone, got {objective.derivative}")
        return None
    if vector is None:
        raise ValueError(f"derivative {PRODUCT} needs a vector, got none")
    vector = np.array(vector, copy=True, order="C")
    if vector.shape != logits.shape:
        raise ValueError(f"vector must have the logits' shape {logits.shape}, got {vector.shape}")
    if vector.dtype != logits.dtype:
        raise TypeError(f"vector must have the logits' dtype {logits.dtype}, got {vector.dtype}")
    if not np.isfinite(vector.astype(np.float64)).all():
        raise ValueError("vector must be finite")
    vector.flags.writeable = False
    return vector


def validate_targets(targets: Array, logits: Array, objective: Objective) -> Array:
    """The targets, labels as int64. Raises ValueError or TypeError where they do not fit logits and objective."""
    n_rows, n_classes = logits.shape
    if objective.targets == "probability":
        if targets.shape != logits.shape:
            raise ValueError(f"probability targets must have the logits' shape {logits.shape}, got {targets.shape}")
        if targets.dtype != logits.dtype:
            raise TypeError(f"probability targets must have the logits' dtype {logits.dtype}, got {targets.dtype}")
        sizes = targets.astype(np.float64)
        if not (np.isfinite(sizes) & (sizes >= 0)).all():
            raise ValueError("probability targets must be finite and at least 0")
        return targets
    if targets.size == 0:
        targets = targets.astype(np.int64)
    if targets.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got {targets.dtype}")
    if targets.shape != (n_rows,):
        raise ValueError(f"labels must have shape ({n_rows},), got {targets.shape}")
    kept = targets[targets != objective.ignore_index] if objective.ignore_index is not None else targets
    if kept.size and not (0 <= kept.min() and kept.max() < n_classes):
        worst = kept.min() if kept.min() < 0 else kept.max()
        raise ValueError(f"labels must lie in [0, {n_classes}), got {worst}")
    return targets.astype(np.int64, copy=False)
