"""The layers that ship, against exact sums of exact products, worked out in 200 bits."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest

from gradlab.evaluation.claims import claims_from
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer
from gradlab.layer.probe import probe_problem
from gradlab.layer.recognition import recognise_layer
from gradlab.targets.importing import lacking
from gradlab.targets.layers import load_layer
from gradlab.targets.shipped import everything, layers, needs_of

OUTPUTS = ("loss", "dX", "dW", "db")
NAMES = [name for name, (_, module) in layers().items() if not lacking(needs_of(module))]
DTYPES = ("float32", "float64")
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Shape:
    """A problem by its size: rows, features, classes; the weight's scale; whether each row's label is its largest."""

    n_rows: int
    n_features: int
    n_classes: int
    scale: float = 1.0
    is_confident: bool = False


SHAPES = {
    "small": Shape(5, 7, 4),
    "more rows": Shape(40, 17, 30),
    "one of each": Shape(1, 1, 1),
    "one class": Shape(3, 2, 1),
    "one feature": Shape(9, 1, 5, 3.0),
    "two classes": Shape(20, 3, 2),
    "confident": Shape(20, 12, 9, 8.0, True),
    "sure": Shape(30, 8, 3, 9.0, True),
}
CONFIDENT = ("confident", "sure")


@cache
def arguments(name: str, dtype: str) -> tuple[Array, Array, Array, Array]:
    shape, rng = SHAPES[name], np.random.default_rng(5)
    X = rng.normal(size=(shape.n_rows, shape.n_features)).astype(dtype)
    W = (shape.scale * rng.normal(size=(shape.n_features, shape.n_classes))).astype(dtype)
    b = rng.normal(size=shape.n_classes).astype(dtype)
    labels = rng.integers(0, shape.n_classes, shape.n_rows)
    return X, W, b, (X @ W + b).argmax(1) if shape.is_confident else labels


@dataclass(frozen=True, eq=False)
class Exact:
    """The exact outputs, and for each the sum of the sizes of the terms that it is a sum of, by name."""

    outputs: dict[str, Any]
    sizes: dict[str, Any]


@cache
def exact(name: str, dtype: str) -> Exact:
    X, W, b, labels = arguments(name, dtype)
    with mpmath.workprec(200):
        x, w, bias = (in_mpmath(one) for one in (X, W, b))
        z = x.dot(w) + bias
        g, losses = np.empty_like(z), []
        for i, label in enumerate(labels):
            e = [mpmath.exp(value - max(z[i])) for value in z[i]]
            others = mpmath.fsum(e[:label] + e[label + 1 :])
            g[i] = [value / (others + e[label]) / len(z) for value in e]
            g[i, label] = -others / (others + e[label]) / len(z)
            losses.append(mpmath.log1p(others / e[label]))
        loss = mpmath.fsum(losses) / len(z)
        outputs = {"loss": loss, "dX": g.dot(w.T), "dW": x.T.dot(g), "db": g.sum(0)}
        sizes = {"dX": abs(g).dot(abs(w.T)), "dW": abs(x.T).dot(abs(g)), "db": abs(g).sum(0)}
        return Exact(outputs, sizes | {"loss": loss})


def in_mpmath(values: Any) -> Any:
    return np.vectorize(lambda value: mpmath.mpf(float(value)), otypes=[object])(values)


def largest_error(observed: Any, expected: Any, sizes: Any) -> float:
    """The largest error over the size of what it is an error of; 0 where both are 0."""
    with mpmath.workprec(200):
        errors = abs(in_mpmath(observed) - expected)
        relative = [e / s if s else mpmath.mpf(bool(e)) for e, s in zip(np.ravel(errors), np.ravel(sizes), strict=True)]
        return float(max(relative))


def call(name: str, *given: Any) -> dict[str, Any]:
    return dict(zip(OUTPUTS, layers()[name][0](*given), strict=True))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [name for name in SHAPES if name not in CONFIDENT])
@pytest.mark.parametrize("name", NAMES)
def test_every_output_is_right_to_what_sums_of_rounded_terms_allow(name: str, shape: str, dtype: str) -> None:
    answer, truth = call(name, *arguments(shape, dtype)), exact(shape, dtype)
    size = SHAPES[shape]
    steps = size.n_rows + size.n_features + size.n_classes + 30
    largest_logit = np.abs(arguments(shape, dtype)[1]).sum() + 3
    for output, value in answer.items():
        bound = steps * (1 + largest_logit) * np.finfo(dtype).eps
        assert largest_error(value, truth.outputs[output], truth.sizes[output]) <= bound, output


@pytest.mark.parametrize("shape", SHAPES)
def test_accurate_in_float32_is_rounded_once_in_every_entry(shape: str) -> None:
    answer, truth = call("layer_accurate", *arguments(shape, "float32")), exact(shape, "float32")
    for output, value in answer.items():
        error = largest_error(value, truth.outputs[output], abs(truth.outputs[output]))
        assert error <= 0.51 * np.finfo(np.float32).eps, output


@pytest.mark.parametrize("shape", SHAPES)
def test_accurate_in_float64_is_right_to_two_units_of_the_terms_of_each_sum(shape: str) -> None:
    answer, truth = call("layer_accurate", *arguments(shape, "float64")), exact(shape, "float64")
    for output, value in answer.items():
        assert largest_error(value, truth.outputs[output], truth.sizes[output]) <= 2 * np.finfo(float).eps, output


@pytest.mark.parametrize("name", [name for name in NAMES if name in ("layer", "layer_loop", "layer_chunked")])
def test_the_others_lose_the_gradient_of_confident_rows_as_they_say(name: str) -> None:
    answer, truth = call(name, *arguments("sure", "float32")), exact("sure", "float32")
    assert largest_error(answer["dX"], truth.outputs["dX"], truth.sizes["dX"]) > 0.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_fused_has_the_digits_of_a_confident_row(dtype: str) -> None:
    pytest.importorskip("numba")
    answer, truth = call("layer_fused", *arguments("sure", dtype)), exact("sure", dtype)
    for output, value in answer.items():
        assert largest_error(value, truth.outputs[output], truth.sizes[output]) <= 2**10 * np.finfo(dtype).eps, output


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_blocks_of_rows_and_classes_change_nothing_but_the_last_bits(
    name: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, W, b, labels = arguments("more rows", dtype)
    whole, module = call(name, X, W, b, labels), layers()[name][1]
    blocks = {
        "BLOCK": 0,
        "MIN_ROWS": 7,
        "ROOM": 8 * 7 * 11,
        "ROWS": 7,
        "ENOUGH_ROWS": 10**6,
        "COLUMNS": 0,
        "PRODUCT": 0,
    }
    for constant, value in blocks.items():
        if hasattr(module, constant):
            monkeypatch.setattr(module, constant, value)
    for output, value in call(name, X, W, b, labels).items():
        scale = np.abs(whole[output]).max()
        np.testing.assert_allclose(value, whole[output], rtol=0, atol=64 * np.finfo(dtype).eps * scale, err_msg=output)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_outputs_have_the_shapes_and_the_dtype_of_the_arguments(name: str, dtype: str) -> None:
    X, W, b, labels = arguments("more rows", dtype)
    answer = call(name, X, W, b, labels.astype(np.uint8))
    assert {output: value.shape for output, value in answer.items()} == {
        "loss": (),
        "dX": X.shape,
        "dW": W.shape,
        "db": b.shape,
    }
    assert {value.dtype.name for value in answer.values()} == {dtype}


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_batch_has_no_mean_and_gradients_of_zeros(name: str) -> None:
    X, W, b, labels = arguments("small", "float32")
    with np.errstate(all="raise", invalid="ignore"):
        answer = call(name, X[:0], W, b, labels[:0])
    assert np.isnan(answer["loss"])
    assert answer["dX"].shape == (0, 7)
    assert not answer["dW"].any()
    assert not answer["db"].any()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("label", [-1, 4])
def test_a_label_outside_the_classes_is_refused(name: str, label: int) -> None:
    X, W, b, labels = arguments("small", "float32")
    with pytest.raises(ValueError, match=r"labels must lie in \[0, 4\)"):
        call(name, X, W, b, np.array([*labels[:-1], label]))


@pytest.mark.parametrize("name", NAMES)
def test_what_does_not_fit_is_refused(name: str) -> None:
    X, W, b, labels = arguments("small", "float32")
    with pytest.raises(ValueError, match=r"X and W must have shapes \(N, D\) and \(D, K\)"):
        call(name, X[:, :-1], W, b, labels)
    with pytest.raises(ValueError, match=r"b must have shape \(4,\), got \(3,\)"):
        call(name, X, W, b[:-1], labels)
    with pytest.raises(TypeError, match="X, W and b must have one dtype, got float32, float64 and float32"):
        call(name, X, W.astype(float), b, labels)


@pytest.mark.parametrize("name", NAMES)
def test_no_argument_is_written_to_and_any_layout_is_taken(name: str) -> None:
    X, W, b, labels = arguments("more rows", "float64")
    plain = call(name, X, W, b, labels)
    given = [np.asfortranarray(X), np.repeat(W, 2, axis=1)[:, ::2], b[::-1].copy()[::-1], labels.copy()]
    for array in given:
        array.flags.writeable = False
    for output, value in call(name, *given).items():
        np.testing.assert_allclose(value, plain[output], rtol=1e-11, atol=1e-15, err_msg=output)


@pytest.mark.parametrize("name", NAMES)
def test_its_claims_say_all_that_would_be_recognised(name: str) -> None:
    found = load_layer(f"layer:{name}", {})
    assert (
        found.claims.layer
        == recognise_layer(
            type(found)(name, found.function, claims_from({"layer": {}, "dtypes": found.claims.dtypes}))
        ).layer
    )
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    assert set(evaluate_layer(found, problem).outputs) == set(OUTPUTS)


def test_layers_are_not_among_the_losses_of_logits() -> None:
    assert {"layer_loop", "layer", "layer_chunked", "layer_accurate"} <= set(layers())
    assert not set(layers()) & set(everything())


@pytest.mark.parametrize("shape", [(300, 64, 8192), (40, 8, 100_000)])
def test_fused_takes_no_more_than_4_mib_beyond_its_outputs(shape: tuple[int, ...]) -> None:
    pytest.importorskip("numba")
    rng, (n_rows, n_features, n_classes) = np.random.default_rng(2), shape
    X, W = rng.normal(size=(n_rows, n_features)).astype("f4"), rng.normal(size=(n_features, n_classes)).astype("f4")
    b, labels = np.zeros(n_classes, "f4"), rng.integers(0, n_classes, n_rows)
    call("layer_fused", X, W, b, labels)  # which compiles
    tracemalloc.start()
    try:
        answer = call("layer_fused", X, W, b, labels)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - sum(value.nbytes for value in answer.values()) <= 2**22
