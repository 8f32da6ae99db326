"""What asv is given to track of layers: always a finite number, with its unit."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.implementations.layer import layer
from gradlab.integrations.asv import MAX_BITS
from gradlab.integrations.asv_layers import BITS, layer_bits_lost, layer_suites
from gradlab.targets.shipped import layers

CLAIMS = {"takes": ["X", "W", "b", "targets"], "returns": ["loss", "dX", "dW"]}


def nan(X: Any, W: Any, b: Any, labels: Any) -> Any:
    return tuple(np.nan * one for one in layer(X, W, b, labels)[:3])


def sound(X: Any, W: Any, b: Any, labels: Any) -> Any:
    return layer(X, W, b, labels)[:3]


def half_of_the_weight_gradient(X: Any, W: Any, b: Any, labels: Any) -> Any:
    loss, d_x, d_w, _ = layer(X, W, b, labels)
    return loss, d_x, d_w / 2


def bits(function: Any, output: str) -> float:
    return layer_bits_lost(Implementation("own", function, claims_from(CLAIMS)), "float32", output, "smoke")


def test_a_wrong_output_loses_its_bits_and_the_others_none() -> None:
    assert bits(nan, "dW") == MAX_BITS
    assert bits(half_of_the_weight_gradient, "dW") > 22
    assert bits(half_of_the_weight_gradient, "dX") == bits(sound, "dX") < 15


def test_an_output_that_is_not_returned_is_left_out() -> None:
    with pytest.raises(NotImplementedError, match="own does not return db"):
        bits(sound, "db")


def test_every_tracked_number_of_a_layer_has_a_unit() -> None:
    _, memory, accuracy = layer_suites("layer:layer")
    tracked = [vars(suite)[name] for suite in (memory, accuracy) for name in vars(suite) if name.startswith("track_")]
    assert {function.unit for function in tracked} == {"bytes", BITS, "checks"}


def test_a_layer_is_timed_and_weighed_at_every_shape() -> None:
    speed, memory, accuracy = layer_suites("layer:layer", shapes=[(2, 3, 4)], dtypes=["float64"], profile="smoke")
    assert speed.params == (["layer:layer"], ["2x3x4"], ["float64"])
    given = ("layer:layer", "2x3x4", "float64")
    timed = speed()
    timed.setup(*given)
    timed.time_outputs(*given)
    weighed = memory()
    weighed.setup(*given)
    assert weighed.track_beyond_the_outputs(*given) >= 0
    checked = accuracy()
    checked.setup("layer:layer", "float64", "dW")
    assert checked.track_checks_failed("layer:layer", "float64", "dW") == 0


def test_the_suites_of_this_repository_have_every_layer_that_ships() -> None:
    suites = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks/suites/layers.py"))
    assert sorted(suites["NAMES"]) == sorted(layers())
