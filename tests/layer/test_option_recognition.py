"""Options that nobody claims: the layer is asked for them, and held to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gradlab.evaluation.call import Implementation
from gradlab.harness.profiles import PROFILES
from gradlab.harness.selection import questions_in_run
from gradlab.harness.tally import findings_of
from gradlab.layer.problem import LayerProblem
from gradlab.result import largest_ratio
from gradlab.targets.layers import load_layer

SOURCE = """
import numpy as np

def loss(X, W, y, PARAMETER):
    counts = y != ignore_index
    z = X @ W
    z -= z.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    safe = np.where(counts, y, 0)
    rows = np.arange(len(X))
    losses = np.log(np.exp(z).sum(axis=1)) - z[rows, safe]
    p[rows, safe] -= 1
    p[~counts] = 0
    n = X.dtype.type(DIVISOR)
    with np.errstate(all="ignore"):
        return losses[counts].sum() / n, (p / n) @ W.T, X.T @ (p / n)
"""
KEYWORD = "ignore_index=-100"


def loaded(folder: Path, divisor: str, parameter: str = KEYWORD, **claims: Any) -> Implementation:
    (folder / "own.py").write_text(SOURCE.replace("PARAMETER", parameter).replace("DIVISOR", divisor))
    return load_layer(f"layer:{folder / 'own.py'}:loss", claims)


def failing(found: Implementation) -> set[str]:
    """The checks that fail on problems with a label to be ignored."""
    questions = questions_in_run(found.claims, "float64", PROFILES["quick"], 0)
    asked = [one for one in questions if isinstance(one.problem, LayerProblem) and one.problem.objective.options]
    assert asked
    return {
        check.name
        for one in asked
        for check, findings in findings_of(one.checks, found, one.problem)
        if largest_ratio(findings) > 1 and check.failing_means != "improbable"
    }


def test_a_parameter_of_that_name_is_an_option_and_sound_code_passes(tmp_path: Path) -> None:
    found = loaded(tmp_path, "max(counts.sum(), 1)")
    assert found.claims.options == ("ignore_index",)
    assert found.claims.mean_over == ("sum_of_weights",)
    assert failing(found) <= {"loss_of_the_layer_is_right"}  # of a mean over nothing


def test_a_mean_that_counts_ignored_rows_is_recognised_and_passes(tmp_path: Path) -> None:
    found = loaded(tmp_path, "len(X)")
    assert found.claims.mean_over == ("all_rows",)
    assert failing(found) == set()


def test_nothing_divided_by_nothing_is_found_without_a_claim(tmp_path: Path) -> None:
    assert "ignored_batch_has_no_gradient" in failing(loaded(tmp_path, "counts.sum()"))


@pytest.mark.parametrize(
    ("parameter", "claims"),
    [(KEYWORD, {"options": []}), ("*, ignored=-100, ignore_index=None", {"targets": "one_hot"})],
)
def test_it_is_no_option_where_the_claims_say_otherwise(tmp_path: Path, parameter: str, claims: dict[str, Any]) -> None:
    source = SOURCE.replace("counts = y", "y = y if y.ndim == 1 else y.argmax(axis=1); counts = y")
    (tmp_path / "own.py").write_text(source.replace("PARAMETER", parameter).replace("DIVISOR", "len(X)"))
    found = load_layer(f"layer:{tmp_path / 'own.py'}:loss", claims)
    assert found.claims.options == ()


OF_OPTIONS = """
import numpy as np

def loss(X, W, y, PARAMETER):
    n, k = X.shape[0], W.shape[1]
    z = X @ W
    temperature, weights, share = LINE
    z = z / temperature
    z -= z.max(axis=1, keepdims=True)
    sums = np.exp(z).sum(axis=1, keepdims=True)
    t = np.eye(k, dtype=X.dtype)[y] * X.dtype.type(1 - share) + X.dtype.type(share / k)
    w = weights[y][:, None]
    g = (np.exp(z) / sums - t) * w / temperature / w.sum()
    return (w * t * (np.log(sums) - z)).sum() / w.sum(), g @ W.T * FACTOR, X.T @ g * FACTOR
"""
SOUND = {
    "label_smoothing=0.0": "1, np.ones(k, X.dtype), label_smoothing",
    "temperature=1.0": "X.dtype.type(temperature), np.ones(k, X.dtype), 0",
    "class_weights=None": "1, np.ones(k, X.dtype) if class_weights is None else class_weights, 0",
}


def with_an_option(folder: Path, parameter: str, line: str, factor: str = "1") -> Implementation:
    changes = {"PARAMETER": parameter, "LINE": line, "FACTOR": factor}
    source = OF_OPTIONS
    for word, text in changes.items():
        source = source.replace(word, text)
    (folder / "own.py").write_text(source)
    return load_layer(f"layer:{folder / 'own.py'}:loss", {})


@pytest.mark.parametrize(("parameter", "line"), SOUND.items())
def test_an_option_of_the_usual_meaning_is_recognised_and_passes(tmp_path: Path, parameter: str, line: str) -> None:
    found = with_an_option(tmp_path, parameter, line)
    assert found.claims.options == (parameter.partition("=")[0],)
    assert failing(found) == set()


def test_an_option_that_the_gradients_leave_out_is_found(tmp_path: Path) -> None:
    found = with_an_option(tmp_path, "temperature=1.0", SOUND["temperature=1.0"], factor="X.dtype.type(temperature)")
    assert "dw_of_the_layer_is_right" in failing(found)


def test_a_smoothing_of_another_meaning_is_not_held_against_a_layer(tmp_path: Path) -> None:
    """eps/(K - 1) for each of the other classes: the share of every class is K eps/((K - 1) K)."""
    found = with_an_option(
        tmp_path, "label_smoothing=0.0", "1, np.ones(k, X.dtype), label_smoothing * k / max(k - 1, 1)"
    )
    assert found.claims.options == ()


def test_a_mean_by_the_number_of_rows_is_recognised_with_class_weights(tmp_path: Path) -> None:
    source = OF_OPTIONS.replace("w.sum()", "X.dtype.type(n)").replace("PARAMETER", "class_weights=None")
    (tmp_path / "own.py").write_text(source.replace("LINE", SOUND["class_weights=None"]).replace("FACTOR", "1"))
    found = load_layer(f"layer:{tmp_path / 'own.py'}:loss", {})
    assert found.claims.mean_over == ("number_of_rows",)
    assert failing(found) == set()
