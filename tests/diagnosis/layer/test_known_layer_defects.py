"""The diagnosis names every specimen of the layer, alone and in pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.diagnosis.layer.diagnosis import _explain, diagnose_layer
from gradlab.diagnosis.layer.observation import observe
from gradlab.diagnosis.models import met_in_several_places
from gradlab.diagnosis.models.model import Model
from gradlab.evaluation.call import Implementation
from gradlab.implementations.specimens.layer._pipeline import TILES
from gradlab.implementations.strangers.layer.numpy_layers import two_passes
from gradlab.layer.call import layer_answer
from gradlab.layer.problem import Penalty
from gradlab.targets.layers import layer_of, load_layer
from gradlab.targets.shipped import layer_specimens
from tests.layer_claims import claimed, claims_of_all, questions, questions_for, specimen
from tests.runs import every, only_first, run_with_diagnosis


@pytest.mark.parametrize("name", every(6, layer_specimens(), layer_specimens()))
def test_the_diagnosis_names_a_specimen_of_the_layer(name: str) -> None:
    one = layer_specimens()[name]
    dtype = "float32" if "float32" in (one.dtypes or ("float32",)) else one.dtypes[0]
    shown = [question.problem for question in questions_for(one, dtype)]
    found = diagnose_layer(specimen(name), shown, [one.killed_by])
    named = {defect for some in found.alternatives for defect in some.defects} | set(found.side_effects)
    assert name in named
    assert found.unexplained == ()


def bias_not_averaged_and_global_shift(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    z = X @ W + b
    with np.errstate(all="ignore"):
        e = np.exp(z - z.max())
        p = e / e.sum(axis=1, keepdims=True)
        losses = np.log(e.sum(axis=1)) - (z - z.max())[np.arange(len(X)), labels]
    g = p.copy()
    g[np.arange(len(X)), labels] -= 1
    n = X.dtype.type(len(X))
    loss = losses.mean() + X.dtype.type(l2 / 2) * (W * W).sum() if l2 else losses.mean()
    return loss, g @ W.T / n, X.T @ g / n + (X.dtype.type(l2) * W if l2 else 0), g.sum(axis=0)


def test_two_defects_are_named_together() -> None:
    both = Implementation("both", bias_not_averaged_and_global_shift, claims_of_all())
    asked = [one.problem for one in questions("float32", ())]
    found = diagnose_layer(both, asked, ["db_of_the_layer_is_right"])
    assert [one.defects for one in found.alternatives] == [("bias_gradient_not_averaged", "global_shift")]


def test_a_sound_layer_is_no_known_defect() -> None:
    sound = Implementation("two_passes", two_passes, claims_of_all())
    found = diagnose_layer(sound, [one.problem for one in questions("float32", ())], ["dw_of_the_layer_is_right"])
    assert (found.alternatives, found.n_wrong) == ((), 0)


def over_the_whole_batch(X: Any, y: Any, W: Any, b: Any) -> Any:
    """The second teaching code."""
    z = X @ W + b
    with np.errstate(all="ignore"):
        e = np.exp(z - z.max())
        p = e / e.sum()
        loss = -np.log(p[np.arange(len(X)), y]).mean()
    p[np.arange(len(X)), y] -= 1
    return loss, X.T @ p / X.dtype.type(len(X)), p.sum(axis=0) / X.dtype.type(len(X))


def bias_lacks_its_mean(X: Any, y: Any, W: Any, b: Any) -> Any:
    """The third teaching code."""
    z = X @ W + b
    with np.errstate(all="ignore"):
        e = np.exp(z - z.max())
        p = e / e.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(X)), y]).mean()
    p[np.arange(len(X)), y] -= 1
    return loss, X.T @ p / X.dtype.type(len(X)), p.sum(axis=0)


TEACHING: dict[Any, tuple[str, ...]] = {
    over_the_whole_batch: ("normalised_over_the_batch", "unprotected_log"),
    bias_lacks_its_mean: ("bias_gradient_not_averaged", "global_shift", "unprotected_log"),
}


@pytest.mark.parametrize("function", TEACHING, ids=lambda function: function.__name__)
def test_every_fault_of_a_teaching_code_is_named(function: Any) -> None:
    claims = claims_of_all(takes=("X", "targets", "W", "b"), returns=("loss", "dW", "db"), l2_form="")
    asked = [one.problem.replace(penalty=Penalty()) for one in questions("float32", ())]
    found = diagnose_layer(Implementation(function.__name__, function, claims), asked, ["dw_of_the_layer_is_right"])
    assert [one.defects for one in found.alternatives] == [TEACHING[function]]


SHIPPED_TEACHING = {
    "teaching_label_vector": ["gradients_not_averaged", "labels_subtracted_as_numbers", "no_shift", "unprotected_log"],
    "teaching_one_dimensional": ["normalised_over_the_batch_unshifted", "unprotected_log"],
    "teaching_global_shift": ["bias_gradient_not_averaged", "global_shift", "one_hot_times_log"],
    "teaching_example_loop": ["no_shift", "one_hot_times_log"],
}


@pytest.mark.parametrize("name", only_first(SHIPPED_TEACHING, "teaching_label_vector"))
def test_every_fault_of_a_teaching_code_that_ships_is_named_in_a_run(name: str) -> None:
    """As whole programs: of a run on the quick families, in one dtype."""
    layer = load_layer(f"layer:gradlab.implementations.specimens.{name}:softmax_regression", {})
    run = run_with_diagnosis(layer, "float32")
    assert run.diagnosis is not None
    found = [sorted(one.defects) for one in run.diagnosis.alternatives]
    assert SHIPPED_TEACHING[name] in found


VARIANTS = [(name, number) for name, one in layer_specimens().items() for number in range(len(one.variants))]
# What is the same as other specimens has their names, as these are tried before any variant.
NAMED_OTHERWISE = {
    ("tail_columns_skipped", TILES.index(128)): ("tail_columns_skipped_by_128",),
    ("logits_scaled", 0): ("gradients_half_as_large", "temperature_left_out_of_the_gradients"),  # both by 2
    # no batch here has more than 200 rows: the mean over all of them, the ignored ones too
    ("chunks_averaged_alike", len(TILES) + TILES.index(256)): ("loss_over_ignored_rows_too",),
}


@pytest.mark.parametrize("variant", only_first(VARIANTS, *VARIANTS[::48]), ids=str)
def test_the_diagnosis_names_a_defect_that_is_written_otherwise(variant: tuple[str, int]) -> None:
    """Where it shows on these problems at all."""
    name, number = variant
    one = layer_specimens()[name]
    shown = [question.problem for question in questions_for(one)]
    found = diagnose_layer(claimed(one.written_otherwise()[number]), shown, [one.killed_by])
    named = [some.defects for some in found.alternatives]
    assert found.n_raised == 0
    if found.n_wrong:
        assert NAMED_OTHERWISE.get((name, number)) in named or any(name in defects for defects in named)
        assert found.unexplained == ()


def in_chunks(X: Any, y: Any, W: Any, b: Any) -> Any:
    """Chunks of eight rows: the last counts only where it is full; the loss is one of a whole product with one-hot."""
    n = len(X)
    loss, dW, db = X.dtype.type(0), np.zeros_like(W), np.zeros_like(b)
    for start in range(0, n - 7, 8):
        x, t = X[start : start + 8], np.eye(len(b), dtype=X.dtype)[y[start : start + 8]]
        z = x @ W + b
        z = z - z.max(axis=1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        with np.errstate(all="ignore"):
            loss = loss - (t * np.log(p)).sum()
        dW, db = dW + x.T @ (p - t), db + (p - t).sum(axis=0)
    return loss / X.dtype.type(n), dW / X.dtype.type(n), db / X.dtype.type(n)


WRITTEN_OTHERWISE: dict[Any, tuple[str, ...]] = {
    in_chunks: ("last_chunk_dropped", "one_hot_times_log"),
}


@pytest.mark.parametrize("function", WRITTEN_OTHERWISE, ids=lambda function: function.__name__)
def test_defects_written_otherwise_are_named_together(function: Any) -> None:
    claims = claims_of_all(takes=("X", "targets", "W", "b"), returns=("loss", "dW", "db"), l2_form="")
    asked = [one.problem.replace(penalty=Penalty()) for one in questions("float32", ())]
    found = diagnose_layer(Implementation(function.__name__, function, claims), asked, ["dw_of_the_layer_is_right"])
    assert [one.defects for one in found.alternatives] == [WRITTEN_OTHERWISE[function]]


def gradient_of_the_call_before(X: Any, y: Any, W: Any, b: Any) -> Any:
    """dW is that of the call before, of one of the same shape."""
    loss, _, d_w, d_b = two_passes(X, W, b, y)
    before = _before.get(d_w.shape, d_w)
    _before[d_w.shape] = d_w
    return loss, before, d_b


def noisy(X: Any, y: Any, W: Any, b: Any) -> Any:
    loss, _, d_w, d_b = two_passes(X, W, b, y)
    return loss, d_w * d_w.dtype.type(1 + _noise.normal() / 10), d_b


_before: dict[Any, Any] = {}
_noise = np.random.default_rng(0)


@pytest.mark.parametrize("function", [gradient_of_the_call_before, noisy])
def test_state_is_told_from_noise(function: Any) -> None:
    claims = claims_of_all(takes=("X", "targets", "W", "b"), returns=("loss", "dW", "db"), l2_form="")
    asked = [one.problem.replace(penalty=Penalty()) for one in questions("float32", ())]
    failed = ["dw_of_the_layer_is_right", "calls_of_a_layer_leave_no_state"]
    found = diagnose_layer(Implementation(function.__name__, function, claims), asked, failed)
    assert found.n_wrong > 0
    assert found.alternatives == ()
    is_state = function is gradient_of_the_call_before
    assert bool(found.n_changed) == is_state
    assert bool(found.unexplained) != is_state


def clipped_without_a_shift(X: Any, y: Any, W: Any, b: Any) -> Any:
    """Logits in [-30, 30], which need no shift; a masked class has a probability of about exp(-30)."""
    e = np.exp(np.clip(X @ W + b, X.dtype.type(-30), X.dtype.type(30)))
    p = e / e.sum(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        loss = -np.log(p[np.arange(len(X)), y]).mean()
    p[np.arange(len(X)), y] -= 1
    p /= X.dtype.type(len(X))
    return loss, X.T @ p, p.sum(axis=0)


def clipped_with_its_penalty(W: Any, X: Any, y: Any, reg: float = 0.0) -> Any:
    loss, _, d_w, _ = two_passes(X, W, np.zeros(W.shape[1], W.dtype), y, reg)
    return loss, np.clip(d_w, W.dtype.type(-1), W.dtype.type(1))


def in_tiles_of_seven(hidden: Any, weight: Any, labels: Any) -> Any:
    """Online over tiles of seven classes, whose sum is not rescaled."""
    rows = np.arange(len(hidden))
    z = hidden @ weight.T
    m, s = np.full(len(hidden), -np.inf, z.dtype), np.zeros(len(hidden), z.dtype)
    for j in range(0, z.shape[1], 7):
        m = np.maximum(m, z[:, j : j + 7].max(axis=1))
        s = s + np.exp(z[:, j : j + 7] - m[:, None]).sum(axis=1)
    g = np.exp(z - m[:, None]) / s[:, None]
    loss = (np.log(s) - (z - m[:, None])[rows, labels]).mean()
    g[rows, labels] -= 1
    g /= z.dtype.type(len(rows))
    return loss, g @ weight, g.T @ hidden


FURTHER: dict[Any, tuple[dict[str, Any], tuple[str, ...]]] = {
    clipped_without_a_shift: (
        {"takes": ("X", "targets", "W", "b"), "returns": ("loss", "dW", "db"), "l2_form": "", "masks": True},
        ("logits_clipped",),
    ),
    clipped_with_its_penalty: (
        {"takes": ("W", "X", "targets", "l2"), "returns": ("loss", "dW")},
        ("gradients_clipped",),
    ),
    in_tiles_of_seven: (
        {"takes": ("X", "W", "targets"), "returns": ("loss", "dX", "dW"), "weight_layout": "KD", "l2_form": ""},
        ("running_sum_not_rescaled",),
    ),
}


@pytest.mark.parametrize("function", FURTHER, ids=lambda function: function.__name__)
def test_a_layer_written_as_users_write_it_is_named_in_a_run(function: Any) -> None:
    more, names = FURTHER[function]
    run = run_with_diagnosis(Implementation(function.__name__, function, claims_of_all(**more)), "float32")
    assert run.diagnosis is not None
    assert names in [one.defects for one in run.diagnosis.alternatives]


def test_what_is_off_by_little_more_than_its_bound_has_no_name() -> None:
    problem = questions("float32", ())[0].problem
    sound = Implementation("two_passes", two_passes, claims_of_all())
    seen = observe(sound, problem, layer_answer(sound, problem))
    little, much = (
        replace(seen, seen={**seen.seen, "loss": seen.truth["loss"] + factor * seen.bounds["loss"]})
        for factor in (2, 1e4)
    )
    assert little.is_wrong
    assert _explain([little]) == ()
    assert _explain([much]) == ()


def test_a_defect_of_a_layer_is_not_said_to_be_in_the_loss_alone() -> None:
    """At the logits it may be in one of the two alone; of a layer's stages nothing is known here."""
    assert met_in_several_places("divided_by_classes")
    assert Model("divided_by_classes", {}).place == ""


def in_single(X: Any, W: Any, b: Any, labels: Any) -> Any:
    """Sums in another order than those of the specimen, in float32, and what is returned is wider again."""
    x, w = X.astype(np.float32), W.astype(np.float32)
    z = np.stack([(row[:, None] * w).sum(axis=0) for row in x]) + b.astype(np.float32)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    g = (p - np.eye(z.shape[1], dtype=np.float32)[labels]) / np.float32(len(labels))
    found = (np.einsum("nk,dk->nd", g, w), np.einsum("nd,nk->dk", x, g), g.sum(axis=0))
    return tuple(one.astype(X.dtype) for one in found)


def nearly_right(X: Any, W: Any, b: Any, labels: Any) -> Any:
    """Off by as much, and of no rounding."""
    z = X @ W + b
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    g = (p - np.eye(z.shape[1])[labels]) / len(labels) * (1 + 2.0**-24)
    return g @ W.T, X.T @ g, g.sum(axis=0)


@pytest.mark.parametrize(("function", "name"), [(in_single, ("computed_in_float32",)), (nearly_right, ())])
def test_what_is_computed_in_float32_has_its_numbers(function: Any, name: tuple[str, ...]) -> None:
    layer = layer_of(function, {"returns": ["dX", "dW", "db"]})
    asked = [one.problem for one in questions("float64") if one.problem.n_rows and not one.problem.penalty.is_on]
    seen = [observe(layer, one, layer_answer(layer, one)) for one in asked[:24]]
    assert sum(one.is_wrong for one in seen) > 10
    assert {one.name for some in _explain(seen) for one in some} == set(name)
