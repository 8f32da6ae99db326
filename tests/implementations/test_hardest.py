"""The hardest inputs that searches have found: what ships stays within what it promises on each of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.bounds import first_order
from gradlab.checks.check import run
from gradlab.checks.table import CHECKS
from gradlab.measure.accuracy import errors_on
from gradlab.measure.level_climbing import decoded
from gradlab.problems.problem import Problem
from gradlab.result import worst_result
from gradlab.targets.load import load
from gradlab.targets.shipped import shipped_targets, sound

CORPUS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "hardest.json").read_text())


def named(entry: dict[str, Any]) -> str:
    kind = f"-{sum(count for count, _ in entry['levels'])}" if "levels" in entry else ""
    return f"{entry['implementation']}-{entry['dtype']}-{entry['part']}{kind}"


WITHIN_FORWARD_ERROR = [check for check in CHECKS if check.group == "stability"]


def problem_of(entry: dict[str, Any]) -> Problem:
    if "levels" in entry:
        return decoded(entry["dtype"], entry).problem
    logits = np.array([[float.fromhex(value) for value in entry["logits"]]]).astype(entry["dtype"])
    return Problem(logits, np.array([entry["label"]]))


@pytest.mark.parametrize("entry", CORPUS, ids=named)
def test_it_stays_within_the_level_that_it_claims(entry: dict[str, Any]) -> None:
    (implementation,) = load(entry["implementation"], {})
    problem = problem_of(entry)
    if implementation.claims.level == "accurate":
        assert float(errors_on(implementation, problem)[entry["part"]].max()) <= first_order.accurate_ulps(problem)
    for check in WITHIN_FORWARD_ERROR:
        assert worst_result(check.name, problem, run(check, implementation, problem)).passed


def test_there_are_hardest_inputs_for_each_implementation_and_dtype_that_is_sound() -> None:
    wanted = {
        (name, dtype) for name in sound() if name in shipped_targets() for dtype in load(name, {})[0].claims.dtypes
    }
    assert {(entry["implementation"], entry["dtype"]) for entry in CORPUS} >= wanted


def test_there_are_hardest_rows_of_levels_of_few_and_of_many_classes_for_each_that_is_accurate() -> None:
    accurate = [name for name in sound() if name in shipped_targets() and load(name, {})[0].claims.level == "accurate"]
    wanted = {
        (name, dtype, is_many)
        for name in accurate
        for dtype in load(name, {})[0].claims.dtypes
        for is_many in (False, True)
    }
    of_levels = [(entry, problem_of(entry)) for entry in CORPUS if "levels" in entry]
    seen = {(entry["implementation"], entry["dtype"], one.n_classes >= 2**15) for entry, one in of_levels}
    assert seen >= wanted


def test_rows_of_levels_in_the_corpus_have_at_most_131072_classes() -> None:
    assert max(problem_of(entry).n_classes for entry in CORPUS if "levels" in entry) <= 2**17
