"""The report as JSON, for machines; `schema.json` beside this file says what is in it, and is versioned with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from gradlab.cases.cases import case_id, encoded_claims, encoded_result
from gradlab.diagnosis.diagnosis import Diagnosis
from gradlab.harness.plan import Plan
from gradlab.harness.power import Power
from gradlab.harness.run import Report
from gradlab.harness.tally import Line
from gradlab.harness.verdict import is_advice
from gradlab.measure.machine import processor
from gradlab.measure.timing import Timing
from gradlab.problems.problem import Problem
from gradlab.report.findings import verdicts_by_dtype
from gradlab.result import Result
from gradlab.storage.encoding import Plain, encoded_objective, encoded_problem

SCHEMA = "gradlab-report-4"
LARGE = 256  # entries: the numbers of a larger problem are in its case file only


@dataclass(frozen=True)
class NotChecked:
    """An implementation on which nothing was run, and why."""

    name: str
    target: str
    reason: str


@dataclass(frozen=True)
class Entry:
    """What a report says of one implementation, as plain data: its results, and what was measured with a clock."""

    implementation: Plain
    seconds: float
    measurements: tuple[Plain, ...]


def entry_of(report: Report) -> Entry:
    """The entry of one report: the same for the same seed, versions and machine, but for its times."""
    measurements = tuple(_measurement(report, timing) for timing in report.timings)
    return Entry(_implementation(report), round(report.seconds, 3), measurements)


def report_document(plan: Plan, reports: Sequence[Report], not_checked: Sequence[NotChecked] = ()) -> Plain:
    """The whole report as plain data."""
    return document_of(plan, [entry_of(report) for report in reports], not_checked)


def document_of(plan: Plan, entries: Sequence[Entry], not_checked: Sequence[NotChecked]) -> Plain:
    """The same, of entries that may come from other processes."""
    return {
        "schema": SCHEMA,
        "gradlab": version("gradlab-verify"),
        "seed": plan.seed,
        "profile": plan.profile.name,
        "implementations": [entry.implementation for entry in entries],
        "not_checked": [{"name": one.name, "target": one.target, "reason": one.reason} for one in not_checked],
        "timing": {
            "seconds": [entry.seconds for entry in entries],
            "machine": _machine(),
            "measurements": [measurement for entry in entries for measurement in entry.measurements],
        },
    }


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the report."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
    return found


def _machine() -> Plain:
    """What a time rests on besides the code."""
    return {"processor": processor("model name"), "python": python_version(), "numpy": version("numpy")}


def _measurement(report: Report, timing: Timing) -> Plain:
    return {
        "implementation": report.implementation.name,
        "dtype": timing.dtype,
        "shape": list(timing.shape),
        "ratios": [float(f"{ratio:.5g}") for ratio in timing.ratios],
        "seconds": timing.seconds,
        "bytes_beyond_the_gradient": timing.n_bytes,
        "note": timing.note,
    }


def _implementation(report: Report) -> Plain:
    kept = {results[0].problem.digest for results in report.failing}
    return {
        "name": report.implementation.name,
        "target": report.implementation.target,
        "verdict": str(report.verdict),
        "verdicts": {dtype: str(verdict) for dtype, verdict in verdicts_by_dtype(report).items()},
        "level": report.plan.level,
        "met": report.met,
        "claims": encoded_claims(report.implementation.claims),
        "dtypes": list(report.dtypes),
        "n_problems": report.n_problems,
        "n_failing": len(kept),
        "cut_short": report.cut_short or None,
        "results": [_result(report, line, kept) for line in report.lines],
        "diagnosis": None if report.diagnosis is None else _diagnosis(report.diagnosis),
        "power": None if report.power is None else _power(report.power),
    }


def _diagnosis(diagnosis: Diagnosis) -> Plain:
    return {
        "dtype": diagnosis.dtype,
        "explained": diagnosis.is_explained,
        "alternatives": [
            {
                "defects": list(one.defects),
                "parameters": [model.parameter for model in one.models if model.parameter],
                "inside": one.inside or None,
            }
            for one in diagnosis.alternatives
        ],
        "conduct": list(diagnosis.side_effects),
        "unexplained": list(diagnosis.unexplained),
        "n_problems": diagnosis.n_problems,
        "n_wrong": diagnosis.n_wrong,
        "n_changed": diagnosis.n_changed,
        "among": diagnosis.among,
    }


def _power(power: Power) -> Plain:
    return {
        "caught": list(power.caught),
        "missed": list(power.missed),
        "not_exercised": {reason: list(names) for reason, names in power.not_exercised.items()},
    }


def _result(report: Report, line: Line, kept: set[str]) -> Plain:
    simplest = None
    if line.simplest is not None:
        simplest = {**encoded_result(line.simplest), **_problems(report, line.simplest, kept)}
        del simplest["check"]
    return {
        **encoded_result(line.worst),
        "group": line.check.group,
        "dtype": line.dtype,
        "passed": line.passed,
        "verdict": str(line.verdict),
        "advice": is_advice(line.check, report.implementation.claims),
        "n_problems": line.n_problems,
        "n_failed": line.n_failed,
        **_problems(report, line.worst, kept),
        "simplest": simplest,
    }


def _problems(report: Report, result: Result, kept: set[str]) -> Plain:
    """The problem of a result, and what was put to the implementation where that was derived from it."""
    asked = None if result.asked is None else _problem(report, result.asked, kept)
    return {"problem": _problem(report, result.problem, kept), "asked": asked}


def _problem(report: Report, problem: Problem, kept: set[str]) -> Plain:
    """Enough to have the problem again: its numbers, or where it is large and was kept the id of its case."""
    case = case_id(report.implementation, problem) if problem.digest in kept else None
    if problem.logits.size <= LARGE:
        plain = encoded_problem(problem)
    else:
        plain = {
            "dtype": problem.format.name,
            "shape": list(problem.logits.shape),
            "family": problem.family,
            "objective": encoded_objective(problem.objective),
            "logits": None,
            "targets": None,
        }
    return {"digest": problem.digest, "case": case, **plain}
