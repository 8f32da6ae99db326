"""The report as JSON, for machines; `schema.json` beside this file says what is in it, and is versioned with it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gradlab.cases.cases import case_id, encode_claims, encode_result, failures_to_keep, json_number
from gradlab.evaluation.text import one_line
from gradlab.harness.plan import Plan
from gradlab.harness.run import Run
from gradlab.harness.scopes import scope_of
from gradlab.harness.tally import Line
from gradlab.harness.verdict import is_advice
from gradlab.measure.machine import processor
from gradlab.measure.timing import Timing
from gradlab.problems.problem import AnyProblem
from gradlab.report.drawn import encode_drawn
from gradlab.report.failure import code_that_shows
from gradlab.report.findings import verdicts_by_dtype
from gradlab.report.origin import NOWHERE, Origin
from gradlab.report.reproducer import Source
from gradlab.report.sizes import encode_sizes
from gradlab.result import Result
from gradlab.storage.encoding import Plain
from gradlab.targets.packages import packages_of

if TYPE_CHECKING:  # what explains a failure is loaded where something failed
    from gradlab.diagnosis.diagnosis import Diagnosis
    from gradlab.harness.power import Power
    from gradlab.localisation.bands import Band
    from gradlab.localisation.rules import Condition
    from gradlab.localisation.statements import Localisation

SCHEMA = "gradlab-report-7"
READ = ("gradlab-report-6", SCHEMA)  # the first has no curves, no places and no code that shows a failure
LARGE = 256  # entries: the numbers of a larger problem are in its case file only


@dataclass(frozen=True)
class NotChecked:
    """An implementation on which nothing was run, and why.

    is_fault: whether it was to be checked and could not be. error: of gradlab's own, if that is why.
    """

    name: str
    target: str
    reason: str
    is_fault: bool = False
    error: Exception | None = None


def report_document(
    plan: Plan,
    runs: Sequence[Run],
    not_checked: Sequence[NotChecked] = (),
    origins: Mapping[str, Origin] = MappingProxyType({}),
) -> Plain:
    """The whole report as plain data: the same for the same seed, versions and machine, but for its times.

    origins: where the functions are, by the names of the implementations.
    """
    return {
        "schema": SCHEMA,
        "gradlab": version("gradlab-verify"),
        "seed": plan.seed,
        "profile": plan.profile.name,
        "implementations": [encode_run(run, origins.get(run.implementation.name, NOWHERE)) for run in runs],
        "not_checked": [{"name": one.name, "target": one.target, "reason": one.reason} for one in not_checked],
        "timing": {
            "seconds": [round(run.seconds, 3) for run in runs],
            "machine": _machine(),
            "packages": dict(pair for run in runs for pair in packages_of(run.implementation.target).items()),
            "measurements": [_measurement(run, timing) for run in runs for timing in run.timings],
        },
    }


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the run."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
    return found


def schema_fault(document: Any) -> str | None:
    """Why a document is no report by its schema, in one line, or None."""
    from jsonschema import Draft202012Validator  # a tenth of a second
    from jsonschema.exceptions import best_match

    if not isinstance(document, dict) or document.get("schema") not in READ:
        return f"it must be an object with schema {' or '.join(READ)}"
    error = best_match(Draft202012Validator(schema()).iter_errors(document))
    if error is None:
        return _curves_fault(document)
    place = ".".join(map(str, error.absolute_path)) or "the report"
    return one_line(f"{place} must keep to {error.validator} {error.validator_value!r:.60}, got {error.instance!r:.60}")


def _curves_fault(document: Any) -> str | None:
    """Why the curves of a report cannot be drawn, in one line: of lists that belong together one has another length."""
    for one in document["implementations"]:
        curves = one.get("curves") or {"axes": [], "differences": []}
        parts = [(axis["values"], part) for axis in curves["axes"] for part in axis["parts"].values()]
        for places, beside in (*parts, *((curve["steps"], curve) for curve in curves["differences"])):
            for name in ("errors", "allowed", "predicted", "bounds", "truncation"):
                if (amounts := beside.get(name)) is not None and len(amounts) != len(places):
                    return f"{name} of a curve must have {len(places)} numbers, got {len(amounts)}"
        for axis in curves["axes"]:
            if (fault := _covered_fault(axis)) is not None:
                return fault
    return None


def _covered_fault(axis: Plain) -> str | None:
    """Why what is said of every margin cannot be drawn on an axis."""
    covered = axis.get("covered") or {"parts": {}}
    for name, part in covered["parts"].items():
        margins = part["margins"]
        if name not in axis["parts"]:
            return f"what is covered must be a part of the curve, got {name}"
        if len(part["largest"]) != len(margins):
            return f"largest of what is covered must have {len(margins)} numbers, got {len(part['largest'])}"
        if margins[0] != axis["values"][0] or margins != sorted(margins):
            return "the margins of what is covered must begin where the curve does, and grow"
    return None


def _machine() -> Plain:
    """What a time rests on besides the code."""
    return {"processor": processor("model name"), "python": python_version(), "numpy": version("numpy")}


def _measurement(run: Run, timing: Timing) -> Plain:
    return {
        "implementation": run.implementation.name,
        "dtype": timing.dtype,
        "shape": list(timing.shape),
        "ratios": [float(f"{ratio:.5g}") for ratio in timing.ratios],
        "seconds": timing.seconds,
        "bytes_beyond_the_gradient": timing.n_bytes,
        "note": timing.note,
        "ulp": json_number(timing.ulp),
    }


def encode_run(run: Run, origin: Origin = NOWHERE) -> Plain:
    """What a run has found, as the report has it under `implementations`; its times are elsewhere."""
    kept = {results[0].problem.digest for results in failures_to_keep(run)}
    return {
        "name": run.implementation.name,
        "target": run.implementation.target,
        "scope": scope_of(run.implementation.claims).name,
        "verdict": str(run.verdict),
        "verdicts": {dtype: str(verdict) for dtype, verdict in verdicts_by_dtype(run).items()},
        "level": run.plan.level,
        "met": run.met,
        "claims": encode_claims(run.implementation.claims),
        "dtypes": list(run.dtypes),
        "n_problems": run.n_problems,
        "n_failing": len(run.failing),
        "accumulates_in": dict(run.accumulates_in),
        "cut_short": run.cut_short or None,
        "advice_on_kind": run.advice_on_kind or None,
        "results": [_result(run, line, kept, origin.source) for line in run.lines],
        "diagnosis": None if run.diagnosis is None else _diagnosis(run, run.diagnosis, kept),
        "localisation": None if run.localisation is None else _encode_localisation(run.localisation),
        "power": None if run.power is None else _power(run.power),
        "missing": [{"explanation": one.explanation, "error": one.error} for one in run.missing],
        "sizes": encode_sizes(run),
        "place": None if origin.place is None else origin.place.encode(),
        "curves": encode_drawn(run.drawn),
    }


def _encode_localisation(found: Localisation) -> Plain:
    return {
        "dtype": found.dtype,
        "where": found.where,
        "what": found.what,
        "conditions": _encode_conditions(found.conditions) if found.band is None else _encode_band(found.band),
        "or_conditions": _encode_conditions(found.or_conditions),
        "n_foretold": found.n_foretold,
        "n_fresh": found.n_fresh,
        "n_calls": found.n_calls,
        "only_in": found.only_in or None,
        "always": found.always,
    }


def _encode_band(band: Band) -> list[Plain]:
    """A band as two conditions on an entry of the row."""
    ends = (">=", band.low, band.beyond_low), ("<=", band.high, band.beyond_high)
    return [
        {
            "feature": f"entry_{band.measure}",
            "relation": relation,
            "value": value if math.isfinite(value) else str(value),
            "right_up_to": beyond if math.isfinite(beyond) else None,
        }
        for relation, value, beyond in ends
    ]


def _encode_conditions(conditions: Sequence[Condition]) -> list[Plain]:
    return [
        {"feature": one.name, "relation": one.relation, "value": one.spelled_value, "right_up_to": one.right_up_to}
        for one in conditions
    ]


def _diagnosis(run: Run, diagnosis: Diagnosis, kept: set[str]) -> Plain:
    return {
        "dtype": diagnosis.dtype,
        "explained": diagnosis.is_explained,
        "alternatives": [
            {
                "defects": list(one.defects),
                "parameters": [model.parameter for model in one.models if model.parameter],
                "said": {model.defect: model.said for model in one.models if model.said},
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
        "n_raised": diagnosis.n_raised,
        "examples": {
            name: {**encode_result(one), "dtype": one.dtype, **_problems(run, one, kept)}
            for name, one in diagnosis.examples.items()
        },
    }


def _power(power: Power) -> Plain:
    return {
        "caught": list(power.caught),
        "missed": list(power.missed),
        "not_exercised": {reason: list(names) for reason, names in power.not_exercised.items()},
    }


def _result(run: Run, line: Line, kept: set[str], source: Source | None) -> Plain:
    simplest = None
    if line.simplest is not None:
        simplest = {**encode_result(line.simplest), **_problems(run, line.simplest, kept)}
        simplest["code"] = code_that_shows(source, run.implementation.claims, line) or None
        del simplest["check"]
    return {
        **encode_result(line.worst),
        "group": line.check.group,
        "dtype": line.dtype,
        "passed": line.passed,
        "verdict": str(line.verdict),
        "advice": is_advice(line.check, run.implementation.claims),
        "n_problems": line.n_problems,
        "n_failed": line.n_failed,
        **_problems(run, line.worst, kept),
        "simplest": simplest,
    }


def _problems(run: Run, result: Result, kept: set[str]) -> Plain:
    """The problem of a result, and what was put to the implementation where that was derived from it."""
    asked = None if result.asked is None else _problem(run, result.asked, kept)
    return {"problem": _problem(run, result.problem, kept), "asked": asked}


def _problem(run: Run, problem: AnyProblem, kept: set[str]) -> Plain:
    """Enough to have the problem again: its numbers, or where it is large and was kept the id of its case."""
    case = case_id(run.implementation, problem) if problem.digest in kept else None
    writing = scope_of(run.implementation.claims).writing
    is_large = writing.n_shown(problem) > LARGE
    plain = writing.encode_outline(problem) if is_large else writing.encode_problem(problem)
    return {"digest": problem.digest, "case": case, **plain}
