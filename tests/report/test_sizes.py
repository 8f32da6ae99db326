"""What a report says of the sizes that a run has tried."""

from __future__ import annotations

from typing import Any

import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import Profile
from gradlab.harness.run import Run
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Array
from gradlab.report.findings import Parts, lines_of_run
from gradlab.report.sizes import encode_sizes, size_lines
from tests.runs import unexplained

SMALL = Profile("small", "quick", 0, 0, 0, asked=1)


def skips_late_rows(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    gradient[2000:] = 0
    return loss, gradient


def run_of(function: Any, **claims: Any) -> Run:
    return unexplained(Implementation("one", function, claims_from({"dtypes": "float32", **claims})), Plan(SMALL))


@pytest.fixture(scope="module")
def found() -> Run:
    return run_of(skips_late_rows)


def test_the_text_says_how_far_it_came(found: Run) -> None:
    first, left_out = size_lines(found)
    assert first.startswith(f"sizes: {len(found.sizes.tried)} shapes, up to ")
    assert "pairs of rows, classes, dtypes" in first
    assert left_out.endswith("after those that fail")
    assert first in list(lines_of_run(found, Parts((), ()), ()))


def test_the_data_say_the_same(found: Run) -> None:
    data: Any = encode_sizes(found)
    assert data["tried"] == len(found.sizes.tried)
    assert 0 < data["covered"] < data["to_cover"]
    assert data["left_out"] == {"after those that fail": len(found.sizes.left_out["after those that fail"])}


def test_nothing_is_said_where_nothing_was_tried() -> None:
    run = run_of(lambda logits, labels: (shifted(logits, labels)[0], logits * 0 + 1), derivative="hessian_diagonal")
    assert list(size_lines(run)) == []
    assert encode_sizes(run) is None
