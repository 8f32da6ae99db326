"""Targets `layer:...` are loaded, functions and classes, with what the file, the caller and the names claim."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer
from gradlab.layer.probe import probe_problem, right_outputs
from gradlab.targets.importing import TargetError
from gradlab.targets.layers import layer_of, load_layer
from gradlab.targets.load import load

COMMON = """
import numpy as np

def core(X, W, b, y):
    z = X @ W + b
    z = z - z.max(1, keepdims=True)
    e = np.exp(z)
    p = e / e.sum(1, keepdims=True)
    n = len(X)
    loss = -np.log(p[np.arange(n), y]).mean()
    p[np.arange(n), y] -= 1
    d = p / n
    return loss, d @ W.T, X.T @ d, d.sum(0)
"""
FILES = {
    "function": """
def f(W, X, y, reg):
    loss, _, dW, _ = core(X, W, 0, y)
    return loss + reg * (W * W).sum(), dW + 2 * reg * W
""",
    "a pair": """
def f(params, X, y):
    W, b = params
    loss, _, dW, db = core(X, W, b, y)
    return loss, (dW, db)
""",
    "a mapping": """
def f(theta, x, t, lam=0.0):
    loss, dx, dW, db = core(x, theta["W"].T, theta["b"], t)
    return loss + lam * (theta["W"] ** 2).sum(), {"W": dW.T + 2 * lam * theta["W"], "b": db}
""",
    "a bias below the weight": """
def f(X, y, W):
    loss, _, dW, _ = core(np.hstack([X, np.ones((len(X), 1), X.dtype)]), W, 0, y)
    return loss, dW
""",
    "a bias before the weight": """
def f(coef, X, y):
    loss, _, dW, db = core(X, coef[:, 1:].T, coef[:, 0], y)
    return {"grad": np.hstack([db[:, None], dW.T]), "loss": loss}
""",
    "a vector": """
def f(theta, numClasses, inputSize, lambda_, data, labels):
    W = theta.reshape(numClasses, inputSize)
    if theta.ndim != 1 or data.shape[0] != inputSize:
        raise ValueError("shapes")
    loss, _, dW, _ = core(data.T, W.T, 0, labels)
    return loss + lambda_ / 2 * (W ** 2).sum(), (dW.T + lambda_ * W).ravel()
""",
    "a vector beside a bias": """
def f(w, b, x, y):
    (size,) = w.shape
    loss, _, dW, db = core(x, w.reshape(x.shape[1], size // x.shape[1]), b, y)
    return {"db": db, "dW": dW.flatten(), "loss": loss}
""",
    "arguments": """
class f:
    def __init__(self, W, b):
        self.W, self.b, self.dW, self.db = W, b, None, None
    def forward(self, x, t):
        self.saved = core(x, self.W, self.b, t)
        return self.saved[0]
    def backward(self, dout=1):
        self.dW, self.db = self.saved[2], self.saved[3]
        return self.saved[1]
""",
    "attributes": """
class f:
    def forward(self, x, t):
        self.x, self.t = x, t
        return core(x, self.W, 0, t)[0]
    def backward(self, dout):
        self.dW = dout * core(self.x, self.W, 0, self.t)[2]
""",
    "params in a list": """
class f:
    def __init__(self, input_size, num_classes, scale=0.01):
        W, b = scale * np.zeros((input_size, num_classes)), np.zeros(num_classes)
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]
    def forward(self, x, t):
        self.x, self.t = x, t
        return core(x, *self.params, t)[0]
    def backward(self):
        _, dx, self.grads[0], self.grads[1] = core(self.x, *self.params, self.t)
        return dx
""",
    "params in a dictionary": """
class f:
    def __init__(self, D, K):
        self.params = {"W1": np.zeros((D, K)), "b1": np.zeros(K)}
    def forward(self, x, t):
        self.x, self.t = x, t
        return core(x, self.params["W1"], self.params["b1"], t)[0]
    def backward(self, dout=1):
        _, self.dx, dW, db = core(self.x, self.params["W1"], self.params["b1"], self.t)
        self.grads = {"W1": dW, "b1": db}
""",
    "a method": """
class f:
    def __init__(self):
        self.W = None
    def loss(self, X_batch, y_batch, reg):
        loss, _, dW, _ = core(X_batch, self.W, 0, y_batch)
        return loss + reg * (self.W ** 2).sum(), dW + 2 * reg * self.W
""",
    "two methods": """
class f:
    def __init__(self, input_size, output_size):
        self.params = {"W1": np.zeros((input_size, output_size)), "b1": np.zeros(output_size)}
    def loss(self, x, t):
        return core(x, self.params["W1"], self.params["b1"], t)[0]
    def gradient(self, x, t):
        _, _, dW, db = core(x, self.params["W1"], self.params["b1"], t)
        return {"W1": dW, "b1": db}
""",
    "columns of classes": """
class f:
    def __init__(self, in_features, out_features, bias=True):
        self.weight, self.bias = np.zeros((out_features, in_features)), np.zeros(out_features)
    def forward(self, x, target):
        self.loss, self.dx, dw, self.dbias = core(x, self.weight.T, self.bias, target)
        self.dweight = dw.T
    def backward(self, dout=1.0):
        return self.dx
""",
}
OUTPUTS = {
    "function": {"loss", "dW"},
    "a pair": {"loss", "dW", "db"},
    "a mapping": {"loss", "dW", "db"},
    "a bias below the weight": {"loss", "dW", "db"},
    "a bias before the weight": {"loss", "dW", "db"},
    "a vector": {"loss", "dW"},
    "a vector beside a bias": {"loss", "dW", "db"},
    "arguments": {"loss", "dX", "dW", "db"},
    "attributes": {"loss", "dW"},
    "params in a list": {"loss", "dX", "dW", "db"},
    "params in a dictionary": {"loss", "dX", "dW", "db"},
    "a method": {"loss", "dW"},
    "two methods": {"loss", "dW", "db"},
    "columns of classes": {"loss", "dX", "dW", "db"},
}


def written(folder: Path, source: str) -> str:
    path = folder / "own.py"
    path.write_text(COMMON + source)
    return f"layer:{path}:f"


def is_right(found: Implementation) -> bool:
    """Whether every output that is claimed is right on a problem of another size, with another seed."""
    problem = probe_problem(found.claims)
    rng = np.random.default_rng(3)
    own = adapt_layer_to_claims(
        found.claims,
        problem.replace(
            features=rng.normal(size=(6, 3)),
            weight=rng.normal(size=(3, 3)),
            bias=rng.normal(size=3),
            targets=np.array([0, 1, 2, 2, 1, 0]),
        ),
    )
    answer, expected = evaluate_layer(found, own), right_outputs(own)
    assert answer.fault is None, answer.fault
    return all(np.allclose(array, expected[name], rtol=1e-10) for name, array in answer.outputs.items())


@pytest.mark.parametrize("name", FILES)
def test_a_function_or_a_class_of_a_file_is_a_layer(name: str, tmp_path: Path) -> None:
    found = load_layer(written(tmp_path, FILES[name]), {})
    assert found.claims.layer is not None
    assert set(found.claims.layer.places) == OUTPUTS[name]
    assert found.name == "f"
    assert is_right(found)


def test_a_class_is_made_again_for_each_call_with_the_weight_of_that_call(tmp_path: Path) -> None:
    found = load_layer(written(tmp_path, FILES["params in a list"]), {})
    assert is_right(found)
    assert is_right(found)


def test_the_dtype_of_a_weight_is_the_one_it_is_given_in(tmp_path: Path) -> None:
    found = load_layer(written(tmp_path, FILES["params in a list"]), {}, ("float32",))
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    assert evaluate_layer(found, problem).outputs["dW"].dtype == np.float32


def test_claims_of_the_file_count_below_those_of_the_caller(tmp_path: Path) -> None:
    source = FILES["function"] + 'CLAIMS = {"takes": ["X", "W", "targets", "l2"], "returns": ["loss", "dW"]}'
    with pytest.raises(TargetError, match="called with X, W, targets, l2, it raised"):
        load_layer(written(tmp_path, source), {})
    assert is_right(load_layer(written(tmp_path, source), {"takes": "W,X,targets,l2"}))


def test_a_function_that_is_there_is_a_layer() -> None:
    def f(x: Any, w: Any, t: Any) -> Any:
        z = x @ w
        e = np.exp(z)
        p = e / e.sum(1, keepdims=True)
        own = p[np.arange(len(t)), t]
        p[np.arange(len(t)), t] -= 1
        return -np.log(own).mean(), x.T @ p / len(t)

    assert is_right(layer_of(f, {}))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("layer:nowhere", "layer:nowhere is no layer that ships"),
        ("layer:./nowhere.py:f", "nowhere.py does not exist"),
        ("layer:a b", "layer:a b must be module:callable or file.py:callable after layer:"),
    ],
)
def test_a_target_that_is_none_is_one_line(target: str, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        load_layer(target, {})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f(X, Y, Y_hat): return X", r"f: recognised X as X, Y as targets, and no W; Y_hat is not known; claim it"),
        (
            "def f(W, X, y): raise KeyError('a')",
            r"f: called with W, X, targets, it raised KeyError: 'a'.*own\.py",
        ),
        (
            "class f:\n    def __init__(self, optimiser): pass\n    forward = backward = lambda self: None",
            "its constructor must take W and b, or D and K, takes optimiser, not known",
        ),
        ("CLAIMS = {'takes': 'X'}\ndef f(X, W, y): pass", "f: claim takes must name X, W, targets, got no W"),
        (
            "CLAIMS = {'takes': 'X,W,targets', 'returns': 'dW', 'weight_layout': 'DK', 'feature_layout': 'ND', "
            "'bias_layout': 'K'}\ndef f(X, W): pass",
            r"f must be callable as \(X, W, targets\); its signature is \(X, W\): too many positional arguments",
        ),
    ],
)
def test_what_is_wrong_with_a_layer_is_one_line(source: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=message) as raised:
        load_layer(written(tmp_path, source), {})
    assert "\n" not in str(raised.value)


def test_a_layer_is_no_loss_of_logits(tmp_path: Path) -> None:
    source = FILES["function"] + 'CLAIMS = {"takes": ["W", "X", "targets", "l2"], "returns": ["loss", "dW"]}'
    target = written(tmp_path, source).removeprefix("layer:")
    with pytest.raises(TargetError, match=f"{target} claims what a layer takes and returns; a layer is written layer:"):
        load(target, {})


@pytest.mark.parametrize("accumulates_in", ["float64", "bfloat16", "tf32"])
def test_a_layer_may_claim_in_what_its_products_are_added_up(accumulates_in: str, tmp_path: Path) -> None:
    found = load_layer(written(tmp_path, FILES["function"]), {"accumulates_in": accumulates_in})
    assert found.claims.accumulates_in == accumulates_in
    with pytest.raises(TargetError, match=r"accumulates_in must be one of recognised, float16, .*, tf32, got 'logits'"):
        load_layer(written(tmp_path, FILES["function"]), {"accumulates_in": "logits"})
