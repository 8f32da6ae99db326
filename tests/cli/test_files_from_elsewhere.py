"""Reports, cases and certificates from elsewhere: refused in one line where they are none, and no command is run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.cases.cases import MAX_OF_FUNCTION

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**400,
    1e308,
    "",
    "nan",
    "0x1p+99999",
    "::error::a\n\x1b[31m",
    [],
    {},
    [[]],
    [0],
    "wrong",
)


@pytest.fixture
def report(gradlab: Any, files: None) -> dict[str, Any]:
    """The report on bad.py, also in old.json; its cases are in `kept`."""
    gradlab("check", "bad.py:loss", "--dtype", "float32", "--json", "old.json", "--cases", "kept")
    document: dict[str, Any] = json.loads(Path("old.json").read_text())
    return document


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all values of a document but itself; of a list only to the first three."""
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in list(items)[: 3 if isinstance(document, list) else None]:
        yield (*path, key)
        yield from places(value, (*path, key))


def changed(document: Any, draw: np.random.Generator) -> str:
    """The document as JSON with one value replaced, or left out."""
    copy = json.loads(json.dumps(document))
    every = list(places(copy))
    *path, last = every[draw.integers(len(every))]
    inner = copy
    for key in path:
        inner = inner[key]
    if draw.random() < 0.3:
        del inner[last]
    else:
        inner[last] = ODD[draw.integers(len(ODD))]
    return json.dumps(copy)


def test_a_damaged_report_is_compared_or_refused_in_one_line(gradlab: Any, report: dict[str, Any]) -> None:
    draw = np.random.default_rng(1)
    for _ in range(25):
        Path("new.json").write_text(changed(report, draw))
        ran = gradlab("compare", "old.json", "new.json")
        assert ran.status in (0, 1, 2)
        assert ran.err.count("\n") == (ran.status == 2)
        assert "\x1b" not in ran.out + ran.err


@pytest.mark.parametrize("document", [{"schema": "gradlab-report-4"}, [], None, {"schema": []}])
def test_what_is_no_report_is_refused_in_one_line(gradlab: Any, report: dict[str, Any], document: Any) -> None:
    Path("new.json").write_text(json.dumps(document))
    ran = gradlab("compare", "old.json", "new.json")
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert "new.json is no report of gradlab check --json: " in ran.err


def test_a_damaged_case_is_run_again_or_refused_in_one_line(gradlab: Any, report: dict[str, Any]) -> None:
    draw = np.random.default_rng(2)
    case = json.loads(next(Path("kept").iterdir()).read_text())
    for _ in range(25):
        Path("case.json").write_text(changed(case, draw))
        ran = gradlab("replay", "case.json")
        assert ran.status in (0, 1, 2)
        assert ran.err.count("\n") == (ran.status == 2)


def test_a_command_that_a_case_names_is_shown_and_not_run(gradlab: Any, report: dict[str, Any]) -> None:
    case = json.loads(next(Path("kept").iterdir()).read_text())
    case["target"] = "exec:sh -c 'touch run'"
    Path("case.json").write_text(json.dumps(case))
    ran = gradlab("replay", "case.json")
    assert ran.status == 2
    assert """case.json names a command, "exec:sh -c 'touch run'": --trust runs it""" in ran.err
    assert not Path("run").exists()
    gradlab("replay", "case.json", "--trust")
    assert Path("run").exists()


def test_cases_are_bounded_and_ignored_by_git_and_removed(gradlab: Any, files: None, monkeypatch: Any) -> None:
    monkeypatch.setattr("gradlab.cases.cases.MAX_OF_FUNCTION", 2)
    gradlab("check", "bad.py:loss", "--dtype", "float32")
    first = {path.name for path in Path(".gradlab/cases").iterdir()}
    assert (len(first), MAX_OF_FUNCTION) == (2, 20)
    assert Path(".gradlab/.gitignore").read_text() == "*\n"
    gradlab("check", "bad.py:loss", "--dtype", "float64")
    second = {path.name for path in Path(".gradlab/cases").iterdir()}
    assert (len(second), len(first & second)) == (2, 0)
    Path(".gradlab/cases/notes.json").write_text("mine")
    ran = gradlab("cases", "--clear")
    assert ran.out.startswith("removed: 2 cases in .gradlab/cases, ")
    assert [path.name for path in Path(".gradlab/cases").iterdir()] == ["notes.json"]


def test_the_oldest_cases_go_where_all_are_too_large(gradlab: Any, files: None, monkeypatch: Any) -> None:
    monkeypatch.setattr("gradlab.cases.cases.MAX_BYTES", 1)
    gradlab("check", "bad.py:loss", "--dtype", "float32")
    assert list(Path(".gradlab/cases").glob("*.json")) == []
