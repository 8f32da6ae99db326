"""Layers in processes of their own: what a label outside does there is a finding, and the run goes on."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

few_problems = importlib.import_module("few_problems")
FLAT = """
import os
import numpy as np

def fused(X, W, b, labels):
    '''As a kernel that looks at no label: label K is the next row's first logit, and -1 in the first row ends it.'''
    n, k = len(X), W.shape[1]
    places = np.arange(n) * k + labels
    if ENDS and places[0] < 0:
        os.abort()
    z = X @ W + b
    z = z - z.max(axis=1, keepdims=True)
    sums = np.exp(z).sum(axis=1, keepdims=True)
    g = (np.exp(z) / sums).ravel()
    places = places % z.size
    g[places] -= 1
    g = g.reshape(n, k) / g.dtype.type(n)
    return (np.log(sums[:, 0]) - z.ravel()[places]).mean(), g @ W.T, X.T @ g, g.sum(axis=0)
"""


@pytest.fixture(autouse=True)
def few_layers(few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    few_problems.few_layers_here(monkeypatch.setitem)


def test_a_kernel_that_reads_the_next_row_for_a_label_outside_is_found(gradlab: Any) -> None:
    Path("flat.py").write_text(f"ENDS = False\n{FLAT}")
    ran = gradlab("check", "layer:flat.py:fused", "--profile", "quick", "--dtype", "float32")
    assert ran.status == 1
    assert "FAIL a_label_outside_reaches_no_other_row" in ran.out
    assert "has changed beyond the first row's share" in ran.out


def test_a_kernel_that_a_label_outside_ends_is_found_and_the_others_are_judged(gradlab: Any) -> None:
    Path("flat.py").write_text(f"ENDS = True\n{FLAT}")
    ran = gradlab("check", "layer:flat.py:fused", "--profile", "quick", "--dtype", "float32", "--json", "report.json")
    assert ran.status == 1
    assert "ended its process by SIGABRT, as abort() does" in ran.out
    (found,) = json.loads(Path("report.json").read_text())["implementations"]
    failed = {check["check"] for check in found["results"] if not check["passed"]}
    passed = {check["check"] for check in found["results"] if check["passed"]}
    assert "a_label_outside_reaches_no_other_row" in failed
    assert "dw_of_the_layer_is_right" in passed
