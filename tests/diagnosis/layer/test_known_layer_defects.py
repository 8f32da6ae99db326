"""The diagnosis names every specimen of the layer, alone and in pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.diagnosis.layer.diagnosis import _explain, diagnose_layer
from gradlab.diagnosis.layer.observation import observe
from gradlab.evaluation.call import Implementation
from gradlab.implementations.strangers.layer.numpy_layers import two_passes
from gradlab.layer.call import layer_answer
from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.targets.layers import load_layer
from gradlab.targets.shipped import layer_specimens
from tests.layer_claims import claims_of_all, questions, specimen
from tests.runs import only_first, run_with_diagnosis


def problems() -> list[LayerProblem]:
    return [one.problem for one in questions("float32")]


@pytest.mark.parametrize("name", layer_specimens())
def test_the_diagnosis_names_a_specimen_of_the_layer(name: str) -> None:
    one = layer_specimens()[name]
    found = diagnose_layer(specimen(name), problems(), [one.killed_by])
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


@pytest.mark.parametrize(("name", "number"), VARIANTS, ids=str)
def test_the_diagnosis_names_a_defect_that_is_written_otherwise(name: str, number: int) -> None:
    """Where it shows on these problems at all."""
    one = layer_specimens()[name]
    written = one.written_otherwise()[number]
    claims = specimen(name).claims
    found = diagnose_layer(Implementation("other", written.function, claims), problems(), [one.killed_by])
    assert found.n_wrong == 0 or name in {defect for some in found.alternatives for defect in some.defects}
    assert found.unexplained == () or found.n_wrong == 0


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
