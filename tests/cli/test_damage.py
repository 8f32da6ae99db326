"""Damaged files of layers and trainings are taken for good or refused in one line; `tools.damage` has the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tools.damage import damaged, results

LAYER = """
import numpy as np


def layer(X, W, b, labels):
    z = X @ W + b
    e = np.exp(z - z.max(axis=1, keepdims=True))
    g = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = -np.log(g[rows, labels]).mean()
    g[rows, labels] -= 1
    return loss, g @ W.T, X.T @ g, -g.sum(axis=0)


def train(X, targets, learning_rate, n_steps, n_classes):
    W, b = np.zeros((X.shape[1], n_classes), X.dtype), np.zeros(n_classes, X.dtype)
    for _ in range(n_steps):
        z = X @ W + b
        e = np.exp(z - z.max(axis=1, keepdims=True))
        g = e / e.sum(axis=1, keepdims=True)
        g[np.arange(len(X)), targets] -= 1
        W -= learning_rate / len(X) * (X.T @ g)
        b -= learning_rate / len(X) * g.sum(axis=0)
    return W, b
"""


@pytest.fixture
def originals(gradlab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A report and a case of a layer, and the certificate of a training."""
    monkeypatch.chdir(tmp_path)
    Path("code.py").write_text(LAYER)
    draw = np.random.default_rng(0)
    np.savez("data.npz", X=draw.normal(size=(12, 3)), y=draw.integers(0, 3, 12))
    options = ("--profile", "smoke", "--dtype", "float32", "--in-process", "--cases", "kept")
    assert gradlab("check", "layer:code.py:layer", *options, "--json", "report.json").status == 1
    assert gradlab(
        "certify", "trainer:code.py:train", "--data", "data.npz", "--steps", "3", "--output", "training.json"
    )
    return [Path("report.json"), next(Path("kept").iterdir()), Path("training.json")]


def test_damaged_files_of_layers_and_trainings_are_refused_in_one_line(originals: list[Path]) -> None:
    found = [result for _, result in results(originals, 45, 3, Path())]
    assert [(one.damage, one.status, one.errors) for one in found if not one.is_fair] == []
    assert sum(one.status == 2 for one in found) > 20


def test_a_name_of_any_length_is_not_shown_in_full(gradlab: Any) -> None:
    ran = gradlab("replay", "x" * 5000)
    assert ran.status == 2
    assert len(ran.err) < 2000


def test_damage_leaves_no_document_as_it_was() -> None:
    draw = np.random.default_rng(4)
    text = json.dumps({"schema": "a", "values": [1, 2, 3], "inner": {"x": None}})
    seen = [damaged(text, draw)[1] for _ in range(200)]
    assert sum(one.decode(errors="replace") == text for one in seen) < 10
