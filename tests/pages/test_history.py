"""The history of many commits: their order, what changed where, and what asv measured."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gradlab.pages.history import history_page
from gradlab.pages.past import read_past
from tests.pages.test_page import words_of

Report = dict[str, Any]


def keep(report: Report, file: Path, name: str = "loss") -> None:
    """Writes a report of one implementation under a name of its own."""
    report["implementations"][0]["name"] = name
    for one in report["timing"]["measurements"]:
        one["implementation"] = name
    file.write_text(json.dumps(report))


@pytest.fixture
def folder(tmp_path: Path, reports: dict[str, Report]) -> Path:
    """Three reports, of which the last is of wrong code."""
    found = tmp_path / "reports"
    found.mkdir()
    for number in (2, 9):
        keep(reports["shifted"], found / f"commit-{number}.json")
    keep(reports["teaching_global_shift"], found / "commit-10.json")
    return found


def test_numbers_in_names_count_as_numbers(folder: Path) -> None:
    assert [one.label for one in read_past(folder).moments] == ["commit-2", "commit-9", "commit-10"]


def test_the_page_says_at_which_commit_what_changed(folder: Path) -> None:
    words = words_of(history_page(read_past(folder)))
    assert "commit-10 , after commit-9" in words
    assert re.search(r"✗ worse : loss : verdict \w+ -> unstable", words)
    assert "after commit-2" not in words


def test_commits_come_in_the_order_of_git(tmp_path: Path, reports: dict[str, Report]) -> None:
    who = {f"GIT_{one}_{part}": "a@b.c" for one in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}

    def git(*arguments: str) -> str:
        environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(
            ["git", *arguments], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    commits = []
    for number in range(4):
        git("commit", "-q", "--allow-empty", "-m", f"{number}")
        commits.append(git("rev-parse", "HEAD"))
    for commit in commits:
        keep(reports["shifted"], tmp_path / f"{commit[:12]}.json")
    assert [one.label for one in read_past(tmp_path).moments] == [commit[:12] for commit in commits]


def test_results_of_asv_become_lines(tmp_path: Path) -> None:
    for commit, seconds in (("a" * 40, 1.0), ("b" * 40, 3.0)):
        results = {"suite.time_loss": [[seconds, None], [["'shifted'", "'fused'"]]]}
        document = {"commit_hash": commit, "result_columns": ["result", "params"], "results": results, "version": 2}
        (tmp_path / f"{commit[:8]}-env.json").write_text(json.dumps(document))
    past = read_past(tmp_path)
    assert [dict(one.values) for one in past.measured] == [
        {"suite.time_loss('shifted')": 1.0},
        {"suite.time_loss('shifted')": 3.0},
    ]
    assert "from 1 at aaaaaaaaaa to 3 at bbbbbbbbbb" in words_of(history_page(past))


def test_a_file_that_is_no_report_is_named(folder: Path) -> None:
    (folder / "other.json").write_text("{}")
    assert "other.json is no report of gradlab check --json" in words_of(history_page(read_past(folder)))
