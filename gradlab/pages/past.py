"""What a folder has of the past: reports of many commits, and results of asv, in the order of the commits."""

from __future__ import annotations

import math
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from gradlab.compare.comparison import ReportError, read_report
from gradlab.storage.files import parsed_json

_COMMIT = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Moment:
    """A commit, or whatever a report is called by, and the report of it."""

    label: str
    report: Mapping[str, Any]


@dataclass(frozen=True)
class Measured:
    """A commit and what asv measured of it: by benchmark and parameters, seconds or another number."""

    label: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class Past:
    """All that is known, the oldest first. ignored: files that are no reports, and why."""

    moments: tuple[Moment, ...]
    measured: tuple[Measured, ...]
    ignored: tuple[str, ...]


def read_past(folder: Path) -> Past:
    """What the JSON files in a folder, and those in folders in it, say of the past.

    A report is called by its file, whose name is best that of its commit: where git knows it, the order is git's, and
    elsewhere that of the names, in which numbers count as numbers.
    """
    moments: list[Moment] = []
    measured: list[Measured] = []
    ignored: list[str] = []
    for path in sorted(folder.rglob("*.json"), key=_natural):
        found = _asv_results(path)
        if found is not None:
            measured.append(found)
            continue
        try:
            moments.append(Moment(path.stem, read_report(path)))
        except ReportError as error:
            if path.name not in ("machine.json", "benchmarks.json"):  # of asv
                ignored.append(str(error))
    places = _places_in_git(folder)
    return Past(
        tuple(sorted(moments, key=lambda one: _place(one.label, places))),
        tuple(sorted(measured, key=lambda one: _place(one.label, places))),
        tuple(ignored),
    )


def _natural(path: Path) -> tuple[Any, ...]:
    """What sorts commit-2 before commit-10."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", path.stem))


def _place(label: str, places: Mapping[str, int]) -> int:
    """The place of a commit in the history of git; the same for all that git does not know, whose order stays."""
    commit = _COMMIT.search(label)
    if commit is None:
        return 0
    return next((place for full, place in places.items() if full.startswith(commit.group())), 0)


def _places_in_git(folder: Path) -> dict[str, int]:
    """The commits of the repository that the folder, or else the current folder, lies in, the oldest first."""
    for place in (folder, Path.cwd()):
        try:
            told = subprocess.run(
                ["git", "log", "--all", "--topo-order", "--reverse", "--format=%H"],
                cwd=place,
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError:
            return {}
        if told.stdout:
            return {commit: number for number, commit in enumerate(told.stdout.split(), 1)}
    return {}


def _asv_results(path: Path) -> Measured | None:
    """What a file of asv's results says; None for any other file."""
    try:
        document = parsed_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("commit_hash"), str):
        return None
    columns, results = document.get("result_columns"), document.get("results")
    if not isinstance(columns, list) or not isinstance(results, dict):
        return None
    values: dict[str, float] = {}
    for name, row in results.items():
        if isinstance(row, list):
            values.update(_values(name, dict(zip(columns, row, strict=False))))
    return Measured(document["commit_hash"][:10], values)


def _values(name: str, row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers of one benchmark, one for each combination of its parameters."""
    found, parameters = row.get("result"), row.get("params") or []
    if not isinstance(found, Sequence) or isinstance(found, str):
        return
    for value, chosen in zip(found, product(*parameters), strict=False):
        if isinstance(value, int | float) and math.isfinite(value):
            yield (f"{name}({', '.join(map(str, chosen))})" if chosen else name), float(value)
