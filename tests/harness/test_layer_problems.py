"""Which problems of the layer an implementation is asked."""

from __future__ import annotations

import numpy as np

from gradlab.harness.layer_problems import layer_problems_in_run
from gradlab.harness.profiles import PROFILES
from tests.layer_claims import claims_of_all


def test_a_bias_that_is_penalised_masks_no_class() -> None:
    """0 |b|^2 of a bias with -inf is NaN, in sound code too."""
    for takes_bias in (False, True):
        claims = claims_of_all(l2_takes_bias=takes_bias)
        problems = layer_problems_in_run(claims, "float32", PROFILES["quick"], 0)
        masked = [one for one in problems if not np.isfinite(one.bias64).all()]
        assert bool(masked) is not takes_bias


def test_a_layer_without_a_penalty_meets_none() -> None:
    claims = claims_of_all(takes=("X", "W", "b", "targets"), l2_form="", l2_takes_bias=None)
    problems = layer_problems_in_run(claims, "float32", PROFILES["quick"], 0)
    assert not any(one.penalty.is_on for one in problems)
