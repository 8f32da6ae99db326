"""`gradlab check layer:...` and what follows it: the report, its JSON, a kept case, run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gradlab.campaigns.conformance.page import schema as conformance_schema
from gradlab.report.json import schema

SOURCE = """
import numpy as np

def softmax_loss(W, X, y, reg):
    n = len(X)
    scores = X @ W
    scores -= scores.max(axis=1, keepdims=True)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = (np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(n), y]).mean() + reg * np.sum(W * W)
    p[np.arange(n), y] -= 1
    return loss, X.T @ p / n + FACTOR * reg * W
"""


@pytest.fixture
def mine(in_an_empty_folder: None) -> None:
    """right.py and wrong.py, with the derivative of the penalty and with half of it."""
    for name, factor in (("right", "2"), ("wrong", "1")):
        Path(f"{name}.py").write_text(SOURCE.replace("FACTOR", factor))


@pytest.mark.usefixtures("mine")
def test_a_sound_layer_is_stable_and_its_report_fits_the_schema(gradlab: Any) -> None:
    ran = gradlab("check", "layer:right.py:softmax_loss", "--profile", "smoke", "--json", "report.json")
    assert (ran.status, ran.err) == (0, "")
    assert "takes W, X, targets, l2; returns loss, dW; penalty l2 |W|^2" in ran.out
    document = json.loads(Path("report.json").read_text())
    jsonschema.validate(document, schema())
    assert document["implementations"][0]["scope"] == "layer"


@pytest.mark.usefixtures("mine")
def test_a_wrong_layer_is_named_kept_and_run_again(gradlab: Any) -> None:
    ran = gradlab(
        "check", "layer:wrong.py:softmax_loss", "--profile", "quick", "--dtype", "float32", "--json", "r.json"
    )
    assert ran.status == 1
    assert "looks like: penalty_gradient_halved" in ran.out
    assert "dW[" in ran.out
    jsonschema.validate(json.loads(Path("r.json").read_text()), schema())
    (kept, *_) = sorted(Path(".gradlab/cases").glob("*.json"))
    assert gradlab("replay", str(kept)).status == 1
    Path("wrong.py").write_text(SOURCE.replace("FACTOR", "2"))
    assert gradlab("replay", str(kept)).status == 0


@pytest.mark.usefixtures("mine")
def test_calls_of_a_layer_are_timed(gradlab: Any) -> None:
    options = ("--profile", "smoke", "--dtype", "float32", "--time", "--json", "t.json")
    ran = gradlab("check", "layer:right.py:softmax_loss", *options)
    assert ran.status == 0
    report = json.loads(Path("t.json").read_text())
    jsonschema.validate(report, schema())
    times = report["timing"]["measurements"]
    assert times
    assert all(one["seconds"] or one["note"] for one in times)
    assert times[0]["seconds"]


@pytest.mark.usefixtures("mine")
def test_what_a_layer_takes_can_be_claimed(gradlab: Any) -> None:
    claims = ("--takes", "W,X,targets,l2", "--returns", "loss,dW", "--l2-form", "half")
    ran = gradlab("check", "layer:right.py:softmax_loss", "--profile", "smoke", *claims)
    assert "penalty l2/2 |W|^2" in ran.out


@pytest.mark.usefixtures("mine")
def test_claims_of_a_layer_without_the_prefix_are_refused(gradlab: Any) -> None:
    ran = gradlab("check", "right.py:softmax_loss", "--takes", "W,X,targets,l2")
    assert ran.status == 2
    assert "layer:" in ran.err


@pytest.mark.usefixtures("mine")
def test_a_layer_has_a_profile_of_the_rules_that_it_follows(gradlab: Any) -> None:
    ran = gradlab("conform", "layer:layer", "--json", "c.json")
    assert ran.status == 0
    document = json.loads(Path("c.json").read_text())
    jsonschema.validate(document, conformance_schema())
    assert document["implementations"][0]["profiles"]["float32"]["label_k"]["rules"] == ["refused"]


@pytest.mark.usefixtures("in_an_empty_folder")
@pytest.mark.parametrize("arguments", [("--layers", "shifted"), ("layer:layer",)])
def test_an_atlas_is_of_losses_or_of_layers(gradlab: Any, arguments: tuple[str, ...]) -> None:
    ran = gradlab("atlas", *arguments)
    assert ran.status == 2
    assert "an atlas is of losses, or with --layers of targets that begin with layer:" in ran.err
