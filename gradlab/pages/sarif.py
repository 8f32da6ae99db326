"""A report as SARIF 2.1.0: each finding at the line of the function under test, for forges that show it there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from gradlab.pages.content import Subject, subjects_of
from gradlab.pages.junit import sentence
from gradlab.pages.matrix import holds, is_held
from gradlab.targets.prefixes import LAYER

Plain = dict[str, Any]
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif_text(reports: Sequence[Mapping[str, Any]]) -> str:
    """The JSON of some reports."""
    subjects = subjects_of(reports)
    results = [result for one in subjects for result in _results(one)]
    rules = [{"id": rule, "shortDescription": {"text": holds(rule) or rule}} for rule in _rules(results)]
    versions = {str(report["gradlab"]) for report in reports}
    driver = {"name": "gradlab", "version": min(versions, default="0"), "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, allow_nan=False) + "\n"


def _rules(results: Sequence[Plain]) -> list[str]:
    return list(dict.fromkeys(one["ruleId"] for one in results))


def _results(subject: Subject) -> Iterator[Plain]:
    """A finding for each check that failed, of all dtypes in which it did."""
    by_check: dict[str, list[Mapping[str, Any]]] = {}
    for one in subject.entry["results"]:
        if not one["passed"]:
            by_check.setdefault(one["check"], []).append(one)
    for check, found in by_check.items():
        held = [one for one in found if is_held(one, subject.entry["level"])]
        yield {
            "ruleId": check,
            "level": "error" if held else "note",
            "message": {"text": _message(subject, held or found)},
            "locations": _locations(subject),
            "partialFingerprints": {"gradlab/v1": f"{subject.entry['target'] or subject.name}:{check}"},
        }


def _message(subject: Subject, found: Sequence[Mapping[str, Any]]) -> str:
    dtypes = ", ".join(one["dtype"] for one in found)
    lines = [f"{subject.name} ({dtypes}): {sentence(found[0])}."]
    if is_held(found[0], subject.entry["level"]) and subject.defects:
        names = [" and ".join(one.name for one in some) for some in subject.defects]
        lines.append(f"Looks like {' or '.join(names)}.")
        lines += [f"To mend it: {one.mend}." for one in subject.defects[0] if one.mend]
    return " ".join(lines)


def _locations(subject: Subject) -> list[Plain]:
    """The function's line, or the file of its target where the line is not known; none of what is in no file."""
    place = subject.place
    head = str(subject.entry["target"]).removeprefix(LAYER).rpartition(":")[0]
    if place is None and head.endswith(".py"):
        place = {"file": head, "line": 1}
    if place is None:
        return []
    address = PurePath(place["file"])
    uri = address.as_uri() if address.is_absolute() else quote(address.as_posix())
    return [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": place["line"]}}}]
