"""The atlas of layers: errors, findings, lines that need no gradlab, the document and the page; on few problems."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from gradlab.campaigns.atlas.document import Missing
from gradlab.campaigns.conformance.in_scope import profile_in_scope
from gradlab.campaigns.layer_atlas import document as documents
from gradlab.campaigns.layer_atlas import measurement
from gradlab.campaigns.layer_atlas.document import document, encode_measurements, encode_rules, joined
from gradlab.campaigns.layer_atlas.measurement import (
    HEAD,
    MARGINS,
    head_of_margin,
    judge_layer,
    largest_errors_of_layer,
    measured_layer_families,
    measurement_of_layer,
)
from gradlab.campaigns.layer_atlas.page import as_markdown
from gradlab.campaigns.layer_atlas.recipes import RECIPES, lines_for, printed_by
from gradlab.cli.atlas import LAYERS
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.harness.profiles import PROFILES
from gradlab.implementations.layer import layer
from gradlab.layer.families.placing import median_margin
from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.problems.dtypes import format_of
from gradlab.problems.objective import Objective
from gradlab.storage.files import strict_json
from gradlab.targets.shipped import layers

CLAIMS = {"takes": ["X", "W", "b", "targets"], "returns": ["loss", "dX", "dW", "db"], "dtypes": ["float32"]}


def silent(progress: object) -> None:
    """Nobody watches."""


def not_averaged(X: Any, W: Any, b: Any, labels: Any) -> Any:
    """dW is a sum where the loss is a mean; labels outside are counted from the end."""
    loss, d_x, d_w, d_b = layer(X, W, b, labels % W.shape[1])
    return loss, d_x, d_w * np.float32(len(X)), d_b


def made(function: Any) -> Implementation:
    return Implementation("own", function, claims_from(CLAIMS), "own.py:own")


@cache
def chart(function: Any) -> Any:
    """The entry of a layer, measured on a handful of families."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measurement, "measured_layer_families", lambda: ["smallest_layers", "one_row_of_features"])
        patch.setattr(measurement, "MARGINS", (6.0,))
        patch.setitem(PROFILES, "quick", PROFILES["smoke"])
        one = made(function)
        measured = measurement_of_layer(one, "float32", silent)
        judged, findings = judge_layer(one, "float32", True, silent)
        rules = encode_rules(one, "float32", profile_in_scope(one, "float32"), judged, findings)
        entry = joined(encode_measurements(one, [measured]), {"float32": rules})
        for finding in entry["charts"][0]["findings"]:
            finding["printed"] = ""
        return entry


def test_the_families_that_are_measured_have_finite_numbers() -> None:
    assert "masked_classes" not in measured_layer_families()
    assert {"ordinary_layers", "confident_head"} <= set(measured_layer_families())


@pytest.mark.parametrize("margin", [MARGINS[0], MARGINS[-1]])
def test_a_head_has_its_margin_and_is_right_in_every_row(margin: float) -> None:
    head = head_of_margin(format_of("float32"), margin)
    assert (*head.features.shape, head.n_classes) == HEAD
    assert median_margin(head) == pytest.approx(margin, rel=1e-5)
    assert np.array_equal(head.float64_logits.argmax(axis=1), head.targets)


def test_an_error_is_told_over_the_largest_entry_of_what_is_right() -> None:
    problem = head_of_margin(format_of("float32"), 6.0)
    found = largest_errors_of_layer(made(not_averaged), [problem])
    assert found["dW"] == pytest.approx(HEAD[0] - 1, rel=1e-3)
    assert max(found["loss"], found["dX"], found["db"]) < 1e-4


def test_a_layer_without_numbers_has_infinite_errors() -> None:
    def nothing(X: Any, W: Any, b: Any, labels: Any) -> Any:
        return tuple(np.nan * one for one in layer(X, W, b, labels))

    found = largest_errors_of_layer(made(nothing), [head_of_margin(format_of("float32"), 6.0)])
    assert set(found.values()) == {np.inf}


def test_what_is_wrong_is_a_finding_with_a_problem_and_sound_code_has_none() -> None:
    (wrong,), (sound,) = chart(not_averaged)["charts"], chart(layer)["charts"]
    assert (wrong["verdict"], sound["verdict"]) == ("wrong", "stable")
    assert "dw_of_the_layer_is_right" in [one["what"] for one in wrong["findings"]]
    assert all("problem" in one and one["sentence"] for one in wrong["findings"])
    assert sound["findings"] == []


def test_a_rule_that_is_not_gradlabs_is_a_finding() -> None:
    (wrong,) = chart(not_averaged)["charts"]
    assert "wraps" in next(one["sentence"] for one in wrong["findings"] if one["what"] == "label_k")


def test_the_document_and_the_page_have_every_target() -> None:
    found = json.loads(strict_json(document("gradlab atlas --layers", [chart(layer), chart(not_averaged)], [])))
    assert (found["schema"], found["version"]) == (documents.SCHEMA, documents.SCHEMA_VERSION)
    page = as_markdown(found)
    assert page.startswith("<!-- Written by `gradlab atlas --layers`; not to be edited. -->")
    assert "| `own.py:own` | wrong |" in page
    assert "**`own.py:own`, float32: dw_of_the_layer_is_right** (wrong)" in page
    assert "| penalty | - |" in page
    assert len({line.count("|") for line in page.splitlines() if line.startswith("| label_k")}) == 1


def test_a_target_that_is_not_measured_has_a_row_with_the_reason() -> None:
    left_out = Missing("slow.py:own", "slow.py:own: its time was up | <again>")
    page = as_markdown(document("gradlab atlas --layers", [chart(layer)], [left_out]))
    assert "| `slow.py:own` | not measured: its time was up \\| \\<again> | - | - | - | - | - |" in page


def test_every_layer_of_others_in_the_atlas_has_a_recipe() -> None:
    own = {f"layer:{name}" for name in layers()}
    assert set(LAYERS) - own == set(RECIPES)
    assert all(len(lines) <= 5 for lines in RECIPES.values())


@pytest.mark.parametrize("target", RECIPES)
def test_a_recipe_is_python_with_the_numbers_of_the_problem(target: str) -> None:
    problem = LayerProblem(np.array([[0.25], [-3]]), np.array([[1.5, 7]]), np.array([0, -np.inf]), np.array([1, 0]))
    lines = lines_for(target, problem)
    compile("\n".join(lines), target, "exec")
    assert "0.25" in "\n".join(lines)


def test_a_recipe_asks_for_other_labels_where_some_are_given() -> None:
    problem = LayerProblem(np.array([[0.25]]), np.array([[1.5, 7]]), None, np.array([1]))
    assert "torch.tensor([-1])" in lines_for("layer:torch:cross_entropy", problem, np.array([-1]))[2]


def test_there_are_no_lines_for_what_no_recipe_knows() -> None:
    one = LayerProblem(np.array([[0.25]]), np.array([[1.5, 7]]), None, np.array([1]))
    assert lines_for("own.py:own", one) == []
    assert lines_for("layer:torch:cross_entropy", one.replace(objective=Objective(label_smoothing=0.5))) == []
    large = one.replace(features=np.ones((9, 9)), weight=np.ones((9, 2)), targets=np.ones(9, dtype=int))
    assert lines_for("layer:torch:cross_entropy", large) == []


def test_the_lines_for_scikit_learn_print_what_its_adapter_returns() -> None:
    pytest.importorskip("sklearn")
    from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer
    from gradlab.targets.layers import load_layer

    found = load_layer("layer:sklearn:LinearModelLoss", {})
    plain = LayerProblem(np.array([[0.5], [2]]), np.array([[1.0, 0, -1]]), np.array([0, 1.0, 0]), np.array([1, 2]))
    problem = adapt_layer_to_claims(found.claims, plain.replace(penalty=Penalty(0.5)))
    printed = printed_by(lines_for("layer:sklearn:LinearModelLoss", problem))
    assert float(printed.split()[0]) == pytest.approx(float(np.asarray(evaluate_layer(found, problem).loss)))


@pytest.mark.parametrize(
    ("lines", "printed"),
    [
        (["print(1)", "print(2)"], "1 2"),
        (["raise IndexError('label 3')"], "raises: IndexError: label 3"),
        (["print(1, flush=True)", "import os; os.abort()"], "1; ends its process by signal 6"),
    ],
)
def test_what_the_lines_print_is_kept_however_they_end(lines: list[str], printed: str) -> None:
    assert printed_by(lines).startswith(printed)
