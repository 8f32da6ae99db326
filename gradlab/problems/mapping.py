"""What the options that are neither a reduction nor coefficients make of logits and of rows' losses.

The functions are generated; here they are put together, for arrays and for whatever else NumPy's functions take.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradlab.problems.objective import Objective
from gradlab.reference import numpy_forms


class RowSums(NamedTuple):
    """What the terms of a row are made of: M = log sum_k exp(x_k), m = sum_j t_j p_j and A = sum_j t_j."""

    log_sum_exp: Any
    target_probability: Any
    coefficient_sum: Any


class RowTerms(NamedTuple):
    """The sum of a row's terms, and its derivatives along M = lse and m = sum_j t_j p_j."""

    value: Any
    along_lse: Any
    along_target: Any


def maps_logits(objective: Objective) -> bool:
    """Whether something becomes of the logits before the softmax."""
    return any(name in numpy_forms.LOGIT_MAPS for name in objective.real_options)


def map_logits(objective: Objective, logits: Any, parameter: Callable[[float], Any] = float) -> tuple[Any, Any]:
    """The logits after every map that is on, and how fast each moves with its own logit.

    parameter: what turns the option's value into a number of the kind that the logits are.
    """
    slope: Any = 1.0
    for name, value in objective.real_options.items():
        if name in numpy_forms.LOGIT_MAPS:
            logits, own = numpy_forms.LOGIT_MAPS[name](logits, parameter(value))
            with np.errstate(all="ignore"):  # where one slope is 0 and another too large for float64
                slope = own * slope
    return logits, slope


def row_terms(objective: Objective, sums: RowSums, parameter: Callable[[float], Any] = float) -> RowTerms:
    """The terms of rows with these sums; parameter: as in `map_logits`."""
    total = RowTerms(0.0, 0.0, 0.0)
    for name, value in objective.real_options.items():
        if name in numpy_forms.ROW_TERMS:
            own = numpy_forms.ROW_TERMS[name](*sums, parameter(value))
            total = RowTerms(*(one + other for one, other in zip(own, total, strict=True)))
    return total
