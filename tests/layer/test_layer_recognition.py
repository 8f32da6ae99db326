"""How a layer is called is recognised by names and calls, and a doubt says how to claim it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer
from gradlab.layer.probe import probe_problem, right_outputs
from gradlab.layer.problem import Penalty
from gradlab.layer.recognition import UnclearError, recognise_layer
from tests.layer.layers import LAYERS, Called, right


def implementation(function: Any, **claims: Any) -> Implementation:
    return Implementation("layer", function, claims_from({"layer": {}, **claims}))


def recognised(function: Any, **claims: Any) -> Implementation:
    found = implementation(function, **claims)
    return Implementation("layer", function, recognise_layer(found))


@pytest.mark.parametrize("case", LAYERS, ids=[one.function.__name__ for one in LAYERS])
def test_how_it_is_called_is_recognised(case: Called) -> None:
    claims = recognised(case.function).claims
    layer = claims.layer
    assert layer is not None
    assert " ".join(layer.takes) == case.takes
    assert " ".join(layer.returns) == case.returns
    assert claims.one_hot == case.one_hot
    assert f"{layer.weight_layout} {layer.feature_layout} {layer.bias_layout}" == case.layouts
    form = {"l2_form": layer.l2_form, "l2_takes_bias": layer.l2_takes_bias}
    assert form == (case.l2 or {"l2_form": "", "l2_takes_bias": None})


@pytest.mark.parametrize("case", LAYERS, ids=[one.function.__name__ for one in LAYERS])
def test_what_comes_back_is_in_the_layout_of_the_problem(case: Called) -> None:
    found = recognised(case.function)
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    expected = right_outputs(problem)
    answer = evaluate_layer(found, problem)
    assert answer.fault is None
    assert set(answer.outputs) == set(found.claims.layer.places)  # type: ignore[union-attr]  # recognised
    for name, array in answer.outputs.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-12, atol=1e-14, err_msg=name)
