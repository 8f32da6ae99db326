"""Layers in C and as programs: the signature and the protocol, and that nothing that they do is taken on trust."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gradlab.adapters.c_layer import HEADER
from gradlab.evaluation.call import Implementation
from gradlab.layer.answer import LayerAnswer
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer
from gradlab.layer.probe import probe_problem, right_outputs
from gradlab.layer.problem import Penalty
from gradlab.targets.importing import TargetError
from gradlab.targets.layers import load_layer
from gradlab.targets.prefixes import runs_a_command

CC = shutil.which("cc")
C = """
#include <math.h>
#include "softmax_layer.h"

int softmax_layer_f64(const double *x, const double *w, const double *b, const int64_t *labels,
                      int64_t n_rows, int64_t n_features, int64_t n_classes, double l2,
                      double *loss, double *dx, double *dw, double *db) {
    double z[64];
    if (n_classes > 64) return 1;
    *loss = n_rows ? 0 : NAN;
    for (int64_t k = 0; k < n_features * n_classes; k++) {
        dw[k] = l2 * w[k];
        if (n_rows) *loss += l2 / 2 * w[k] * w[k];
    }
    for (int64_t j = 0; b && j < n_classes; j++) db[j] = 0;
    for (int64_t i = 0; i < n_rows; i++) {
        double most = -INFINITY, sum = 0;
        for (int64_t j = 0; j < n_classes; j++) {
            z[j] = b ? b[j] : 0;
            for (int64_t d = 0; d < n_features; d++) z[j] += x[i * n_features + d] * w[d * n_classes + j];
            most = fmax(most, z[j]);
        }
        for (int64_t j = 0; j < n_classes; j++) sum += exp(z[j] - most);
        *loss += (log(sum) + most - z[labels[i]]) / n_rows;
        for (int64_t d = 0; d < n_features; d++) dx[i * n_features + d] = 0;
        for (int64_t j = 0; j < n_classes; j++) {
            double g = (exp(z[j] - most) / sum - (j == labels[i])) / n_rows;
            if (b) db[j] += g;
            for (int64_t d = 0; d < n_features; d++) {
                dx[i * n_features + d] += g * w[d * n_classes + j];
                dw[d * n_classes + j] += g * x[i * n_features + d];
            }
        }
    }
    EXTRA
    return 0;
}
"""
PROGRAM = """
import json, sys
import numpy as np

while line := sys.stdin.buffer.readline():
    asked = json.loads(line)
    dtype, n, d, k = np.dtype(asked["dtype"]), asked["rows"], asked["features"], asked["classes"]
    def take(dtype, *shape):
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return np.frombuffer(sys.stdin.buffer.read(size), dtype).reshape(shape)
    X, W = take(dtype, n, d), take(dtype, d, k)
    b = take(dtype, k) if asked["bias"] else 0
    y = take("<i8", n)
    z = X @ W + b
    e = np.exp(z - z.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    loss = -np.log(p[np.arange(n), y]).mean() + asked.get("l2", 0) * (W * W).sum()
    p[np.arange(n), y] -= 1
    g = (p / n).astype(dtype)
    answers = {"loss": loss, "dX": g @ W.T, "dW": X.T @ g + 2 * asked.get("l2", 0) * W, "db": g.sum(0)}
    if not asked["bias"]:
        del answers["db"]
    RETURNS
    for array in answers.values():
        sys.stdout.buffer.write(np.asarray(array, dtype).tobytes())
    sys.stdout.buffer.flush()
"""
PLAIN = 'sys.stdout.write(json.dumps({"dtype": asked["dtype"]}) + "\\n"); sys.stdout.flush()'
SOME = """answers = {"dW": answers["dW"], "loss": answers["loss"]}
    sys.stdout.write(json.dumps({"dtype": asked["dtype"], "returns": list(answers)}) + "\\n"); sys.stdout.flush()"""
UNKNOWN = 'sys.stdout.write(json.dumps({"dtype": "float64", "returns": ["dV"]}) + "\\n"); sys.stdout.flush()'

Build = Callable[[str], str]


@pytest.fixture
def library(tmp_path: Path) -> Build:
    """Compiles the layer with more at its end, and returns its target."""
    if CC is None:
        pytest.skip("there is no C compiler, cc")

    def built(extra: str) -> str:
        (tmp_path / "layer.c").write_text(C.replace("EXTRA", extra))
        flags = ["-O1", "-Wall", "-Werror", "-shared", "-fPIC", f"-I{HEADER.parent}"]
        subprocess.run([str(CC), *flags, "-o", "liblayer.so", "layer.c", "-lm"], cwd=tmp_path, check=True)
        return f"layer:c:{tmp_path}/liblayer.so:softmax_layer"

    return built


@pytest.fixture
def program(tmp_path: Path) -> Build:
    """Writes the program with a way of saying what it returns, and returns its target."""

    def written(returns: str) -> str:
        (tmp_path / "layer.py").write_text(PROGRAM.replace("RETURNS", returns))
        return f"layer:exec:{sys.executable} {tmp_path}/layer.py"

    return written


def wrong_outputs(found: Implementation, penalty: float = 0.0) -> list[str]:
    """The outputs that are not right on the probe problem."""
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims, Penalty(penalty)))
    answer, expected = evaluate_layer(found, problem), dict(right_outputs(problem))
    assert answer.fault is None, answer.fault
    expected["dW"] = expected["dW"] + problem.penalty.slope * problem.weight64
    expected["loss"] = expected["loss"] + problem.penalty.slope / 2 * (problem.weight64**2).sum()
    return [name for name, one in answer.outputs.items() if not np.allclose(one, expected[name], rtol=1e-10)]


def outputs(found: Implementation) -> set[str]:
    assert found.claims.layer is not None
    return set(found.claims.layer.places)


def answer_of(found: Implementation) -> LayerAnswer:
    return evaluate_layer(found, adapt_layer_to_claims(found.claims, probe_problem(found.claims)))


def test_a_layer_in_c_is_called_by_its_signature(library: Build) -> None:
    found = load_layer(library(""), {})
    assert outputs(found) == {"loss", "dX", "dW", "db"}
    assert found.claims.dtypes == ("float64",)
    assert wrong_outputs(found) == []


def test_a_layer_in_c_takes_no_bias_where_none_is_claimed(library: Build) -> None:
    found = load_layer(library(""), {"takes": "X,W,targets"})
    assert outputs(found) == {"loss", "dX", "dW"}
    assert wrong_outputs(found) == []


def test_a_layer_in_c_takes_a_penalty_where_it_is_claimed(library: Build) -> None:
    found = load_layer(library(""), {"options": "l2"})
    assert found.claims.layer is not None
    assert found.claims.layer.l2_form == "half"
    assert wrong_outputs(found, penalty=0.5) == []


def test_writing_beyond_an_output_is_seen(library: Build) -> None:
    with pytest.raises(TargetError, match="the C function must write the dW alone, wrote before or after it"):
        load_layer(library("dw[n_features * n_classes] = 1;"), {})


def test_an_output_that_is_not_written_is_nan(library: Build) -> None:
    source = "for (int64_t j = 0; j < n_classes; j++) db[j] = NAN;"
    assert wrong_outputs(load_layer(library(source), {})) == ["db"]


def test_a_program_is_asked_by_the_protocol(program: Build) -> None:
    found = load_layer(program(PLAIN), {})
    assert outputs(found) == {"loss", "dX", "dW", "db"}
    assert wrong_outputs(found) == []


def test_a_program_may_return_some_of_the_outputs(program: Build) -> None:
    found = load_layer(program(SOME), {})
    assert outputs(found) == {"loss", "dW"}
    assert wrong_outputs(found) == []


def test_a_program_takes_a_penalty_where_it_is_claimed_and_no_bias_where_none_is(program: Build) -> None:
    found = load_layer(program(PLAIN), {"options": "l2", "takes": "X,W,targets"})
    assert found.claims.layer is not None
    assert (found.claims.layer.l2_form, outputs(found)) == ("whole", {"loss", "dX", "dW"})
    assert wrong_outputs(found, penalty=0.5) == []


def test_a_program_that_returns_what_there_is_not_breaks_the_protocol(program: Build) -> None:
    with pytest.raises(TargetError, match=r"returns must be a list of loss, dX, dW, db, got \['dV'\]"):
        load_layer(program(UNKNOWN), {})


def test_a_program_that_is_not_there_is_one_line() -> None:
    with pytest.raises(TargetError, match="layer:exec:nowhere/at/all: 'nowhere/at/all' must be a program"):
        load_layer("layer:exec:nowhere/at/all", {})


def test_a_layer_that_is_a_command_is_known_for_one() -> None:
    assert runs_a_command("layer:exec:./program")
    assert not runs_a_command("layer:./exec.py:f")
