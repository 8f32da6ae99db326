"""The conformance profile of an implementation of whatever scope: a layer is asked as a loss of logits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab.campaigns.conformance.case import Case
from gradlab.campaigns.conformance.profile import Profile, profile_of
from gradlab.campaigns.conformance.table import CASES
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.plan import Watch
from gradlab.layer.at_logits import layer_as_loss
from gradlab.problems.dtypes import format_of
from gradlab.targets.importing import TargetError


def profile_in_scope(implementation: Implementation, dtype: str, watch: Watch = lambda progress: None) -> Profile:
    """What is followed in every case; of a layer in those of finite logits, as `gradlab.layer.at_logits` asks them.

    Raises TargetError for a layer that returns too little for that.
    """
    if implementation.claims.layer is None:
        return profile_of(implementation, dtype, watch)
    try:
        loss = layer_as_loss(implementation)
    except ValueError as error:
        raise TargetError(f"{implementation.target or implementation.name}: {error}") from error
    return profile_of(loss, dtype, watch, finite_cases(loss.claims, dtype))


def finite_cases(claims: Claims, dtype: str) -> Mapping[str, Case]:
    """The cases whose logits are all finite."""
    fmt = format_of(dtype)
    return {name: one for name, one in CASES.items() if bool(np.isfinite(one.asks(claims, fmt).problem.logits64).all())}
