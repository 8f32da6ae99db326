"""Known defects of losses of logits as implementations with the claims of a run: what it asks of them, and what not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from gradlab.checks.table import check_named
from gradlab.evaluation.adaptation import allows
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.verdict import Verdict
from gradlab.problems.problem import Array, Problem
from gradlab.targets.shipped import Specimen

FLAGS = ("refuses_bad_labels", "empty_batch", "keeps_dtype", "deterministic", "backward")
_BY_INDEX = ("refuses_bad_labels", "refuses_bad_shapes", "integer_type_of_the_labels_does_not_matter")


def least_entries(specimen: Specimen) -> int:
    """How many entries the problem has that is stored with a defect, the smallest that shows it."""
    return sum(map(len, specimen.logits))


def why_not(specimen: Specimen, claims: Claims, dtype: str, level: Verdict) -> str | None:
    """The claim without which a run in this dtype and at this level says nothing about a defect, or None if it does."""
    needed, check = claims_from(specimen.claims), check_named(specimen.killed_by)
    for option in needed.options:
        if option not in claims.options:
            return option
    if needed.options and needed.mean_over[0] not in claims.mean_over:
        return f"mean over {needed.mean_over[0]}"
    if needed.targets == ("probability",) and "probability" not in claims.targets:
        return "probability targets"
    if specimen.name == "mass_forgotten" and claims.normalised_targets:
        return "targets of any sum"
    if needed.reduction[-1] not in claims.reduction and not (
        specimen.takes_any_reduction and len(needed.reduction) == 1
    ):
        return f"reduction {needed.reduction[-1]}"
    for flag in FLAGS:
        if getattr(needed, flag) and not getattr(claims, flag):
            return flag
    if "dtypes" in specimen.claims and dtype not in needed.dtypes:
        return " or ".join(needed.dtypes)
    if check.name == "masked_class_has_probability_zero" and not claims.masks:
        return "masks"
    if check.name in _BY_INDEX and "index" not in claims.targets:
        return "index targets"
    return "level accurate" if check.failing_means == "inaccurate" and level <= Verdict.STABLE else None


def as_claimed(specimen: Specimen, claims: Claims) -> Implementation:
    """The specimen as an implementation with these claims, as far as it can keep them."""
    needed, function = claims_from(specimen.claims), specimen.function
    reduction = tuple(one for one in claims.reduction if specimen.takes_any_reduction or one in needed.reduction)
    if specimen.takes_any_reduction and len(reduction) == 1:
        function = partial(function, reduction=reduction[0])
    targets = needed.targets if needed.targets[0] in claims.targets else claims.targets
    if targets != needed.targets:
        function = OneHot(function)
    own = replace(
        claims,
        reduction=reduction,
        targets=targets,
        options=needed.options,
        mean_over=needed.mean_over,
        backward=needed.backward,
        double_backward=needed.double_backward,
    )
    return Implementation(specimen.name, function, own)


@dataclass(frozen=True)
class OneHot:
    """A function of labels as one of one-hot rows."""

    function: Callable[..., Any]

    def __call__(self, logits: Array, targets: Array, **keywords: Any) -> Any:
        return self.function(logits, np.asarray(targets).argmax(axis=1), **keywords)


def can_be_asked(implementation: Implementation, problem: Problem) -> bool:
    if not allows(implementation.claims, problem.objective):
        return False
    if not isinstance(implementation.function, OneHot):
        return True
    shares = problem.targets.astype(np.float64)
    return bool(((shares == 1).sum(axis=1) == 1).all() and ((shares == 0) | (shares == 1)).all())
