"""`gradlab check --time` and what `gradlab compare` makes of it, end to end on tiny shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gradlab.measure import layer_timing, timing
from gradlab.report.json import schema


@pytest.fixture
def report(gradlab: Any, files: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `check --time --json` wrote to old.json of good.py."""
    monkeypatch.setattr(timing, "SHAPES", ((2, 3), (4, 5)))
    ran = gradlab("check", "good.py:loss", "--dtype", "float64", "--time", "--json", "old.json")
    assert ran.status == 0
    assert [line.split()[:5] for line in ran.out.splitlines()[-3:-1]] == [
        ["time", "of", "dtype", "rows", "x"],
        ["loss", "float64", "2", "x", "3"],
    ]
    found: dict[str, Any] = json.loads(Path("old.json").read_text())
    return found


def test_time_is_measured_when_asked_for(report: dict[str, Any]) -> None:
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(report)) == []
    measured = report["timing"]["measurements"]
    assert [(one["implementation"], one["dtype"], one["shape"]) for one in measured] == [
        ("loss", "float64", [2, 3]),
        ("loss", "float64", [4, 5]),
    ]
    assert all(len(one["ratios"]) >= timing.MIN_ROUNDS for one in measured)


def test_time_is_not_measured_unless_asked_for(gradlab: Any, files: None) -> None:
    ran = gradlab("check", "good.py:loss", "--dtype", "float64", "--json", "old.json")
    assert json.loads(Path("old.json").read_text())["timing"]["measurements"] == []
    assert "time of" not in ran.out


def test_a_slower_report_is_worse_and_a_faster_one_is_not(gradlab: Any, report: dict[str, Any]) -> None:
    for one in report["timing"]["measurements"]:
        one["ratios"] = [1000 * ratio for ratio in one["ratios"]]
    Path("new.json").write_text(json.dumps(report))
    worse = gradlab("compare", "old.json", "new.json")
    assert (worse.status, worse.err) == (1, "")
    assert worse.out.startswith("worse: loss  time float64 (2, 3): ")
    better = gradlab("compare", "new.json", "old.json")
    assert (better.status, better.out.splitlines()[-1]) == (0, "2 changes, 0 for the worse, 2 for the better")


def test_compare_as_markdown_has_the_same_status(gradlab: Any, report: dict[str, Any]) -> None:
    report["timing"]["measurements"][0]["bytes_beyond_the_gradient"] += 10**6
    Path("new.json").write_text(json.dumps(report))
    ran = gradlab("compare", "old.json", "new.json", "--markdown")
    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith(
        "### gradlab: 1 change, 1 for the worse, 0 for the better\n\n- **worse**: loss \u00b7 memory beyond"
    )
    assert gradlab("compare", "old.json", "old.json", "--markdown").status == 0


@pytest.mark.usefixtures("in_an_empty_folder")
def test_a_layer_is_timed_in_a_table_of_its_own(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_timing, "LAYER_SHAPES", ((2, 3, 4), (4, 5, 6)))
    monkeypatch.setattr(timing, "SHAPES", ((2, 3),))
    given = ("--dtype", "float64", "--profile", "smoke", "--time")
    ran = gradlab("check", "layer:layer", "shifted", *given, "--json", "old.json")
    assert ran.status == 0
    headings = [" ".join(line.split()) for line in ran.out.splitlines() if line.startswith("time of")]
    assert [one.partition(" ms")[0] for one in headings] == [
        "time of dtype rows x classes",
        "time of dtype rows x features x classes",
    ]
    document = json.loads(Path("old.json").read_text())
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(document)) == []
    shapes = [one["shape"] for one in document["timing"]["measurements"]]
    assert shapes == [[2, 3, 4], [4, 5, 6], [2, 3]]
    for one in document["timing"]["measurements"]:
        one["ratios"] = [1000 * ratio for ratio in one["ratios"]]
    Path("new.json").write_text(json.dumps(document))
    compared = gradlab("compare", "old.json", "new.json")
    assert "worse: layer  time float64 (2, 3, 4): " in compared.out
