"""The hardest inputs that searches have found: what ships stays within what it promises on each of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab import tolerances
from gradlab.adapters.load import load
from gradlab.harness.largest_errors import errors_on
from gradlab.problems.problem import Problem

CORPUS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "hardest.json").read_text())


def named(entry: dict[str, Any]) -> str:
    return f"{entry['implementation']}-{entry['dtype']}-{entry['part']}"


@pytest.mark.parametrize("entry", CORPUS, ids=named)
def test_it_stays_within_the_level_that_it_claims(entry: dict[str, Any]) -> None:
    (implementation,) = load(entry["implementation"], {})
    assert implementation.claims.level == "accurate"
    logits = np.array([[float.fromhex(value) for value in entry["logits"]]]).astype(entry["dtype"])
    problem = Problem(logits, np.array([entry["label"]]))
    errors = errors_on(implementation, problem)
    assert float(errors[entry["part"]].max()) <= tolerances.accurate_ulps(problem)
