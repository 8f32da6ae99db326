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
from gradlab.targets.importing import TargetError
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


REQUIRED = """
import numpy as np

def loss(PARAMETERS):
    n, k = X.shape[0], W.shape[1]
    z = X @ W / X.dtype.type(temperature)
    z -= z.max(axis=1, keepdims=True)
    sums = np.exp(z).sum(axis=1, keepdims=True)
    counts = (y != ignore_index).astype(X.dtype) * sample_weights
    safe = np.where(y == ignore_index, 0, y)
    t = np.eye(k, dtype=X.dtype)[safe] * X.dtype.type(1 - label_smoothing) + X.dtype.type(label_smoothing / k)
    t = t * class_weights * counts[:, None]
    total = (class_weights[safe] * counts).sum()
    total = total if total else X.dtype.type(1)
    g = (np.exp(z) / sums * t.sum(axis=1, keepdims=True) - t) / X.dtype.type(temperature) / total
    return (t * (np.log(sums) - z)).sum() / total, g @ W.T, X.T @ g
"""
OFF = {
    "class_weights": "np.ones(W.shape[1], X.dtype)",
    "sample_weights": "np.ones(len(X), X.dtype)",
    "label_smoothing": "0.0",
    "ignore_index": "-100",
    "temperature": "1.0",
}


def requiring(folder: Path, option: str, parameters: str, name: str = "", **claims: Any) -> Implementation:
    """A layer that has to be given this option, under this name."""
    (folder / "own.py").write_text(requiring_source(option, parameters, name))
    return load_layer(f"layer:{folder / 'own.py'}:loss", claims)


def requiring_source(option: str, parameters: str, name: str = "") -> str:
    off = "".join(f"    {one} = {value}\n" for one, value in OFF.items() if one != option)
    renamed = f"    {option} = {name}\n" if name else ""
    return REQUIRED.replace("PARAMETERS):\n", f"{parameters}):\n{off}{renamed}")


PLACES = ("X, W, y, OPTION", "X, W, y, *, OPTION", "X, OPTION, W, y", "OPTION, W, X, y")


@pytest.mark.parametrize("option", OFF)
@pytest.mark.parametrize("parameters", PLACES)
def test_an_option_without_a_default_is_given_in_every_call_at_any_place(
    tmp_path: Path, option: str, parameters: str
) -> None:
    found = requiring(tmp_path, option, parameters.replace("OPTION", option))
    assert (found.claims.required, found.claims.options) == ((option,), (option,))
    assert failing(found) <= {"loss_of_the_layer_is_right"} if option == "ignore_index" else failing(found) == set()


@pytest.mark.parametrize(
    ("option", "name"),
    [("class_weights", "weight_per_class"), ("sample_weights", "row_weights"), ("label_smoothing", "smoothing")],
)
def test_it_may_have_another_name(tmp_path: Path, option: str, name: str) -> None:
    found = requiring(tmp_path, option, f"X, W, y, {name}", name)
    assert found.claims.required == (f"{option}={name}",)
    assert found.claims.options == (option,)
    assert failing(found) == set()


def test_mere_weights_are_an_option_by_a_claim(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"W as W, y as targets, weights as W.*--option class_weights=weights"):
        requiring(tmp_path, "class_weights", "X, W, y, weights", "weights")
    found = requiring(tmp_path, "class_weights", "X, W, y, weights", "weights", options=["class_weights=weights"])
    assert failing(found) == set()


def test_class_weights_without_a_weight_are_no_weight(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"class_weights as the option class_weights, y as targets, and no W"):
        requiring(tmp_path, "class_weights", "X, class_weights, y")


def test_a_cap_must_have_a_default(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="softcap must have a default that means no cap"):
        requiring(tmp_path, "", "X, W, y, softcap")


def test_class_weights_that_one_output_leaves_out_are_found_where_they_are_required(tmp_path: Path) -> None:
    plain = "(np.exp(z) / sums - np.eye(k, dtype=X.dtype)[y]) / X.dtype.type(n)"
    source = requiring_source("class_weights", "X, W, y, class_weights").replace("X.T @ g", f"X.T @ ({plain})")
    (tmp_path / "own.py").write_text(source)
    assert "dw_of_the_layer_is_right" in failing(load_layer(f"layer:{tmp_path / 'own.py'}:loss", {}))
