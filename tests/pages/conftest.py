"""Reports for pages: real checks, diagnoses and curves, on a handful of problems."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.harness.drawn import draw_loss
from gradlab.harness.examples import examples_of
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import Run
from gradlab.harness.scopes import scope_of
from gradlab.harness.tally import Tally, examine
from gradlab.measure.timing import Timing
from gradlab.problems.problem import Problem
from gradlab.report.json import report_document
from gradlab.report.origin import origin_of
from gradlab.storage.files import strict_json
from gradlab.targets.load import load

DTYPE = "float32"
LOGITS: tuple[Any, ...] = (
    [[0, 0]],
    [[1, -2, 0.5]] * 2,
    [[0, 30]],
    [[30, 0]],
    [[0, 104]],
    [[0, 0], [900, 0]],
    [[0, 1], [200, 201]],
    [[1000, 0]],
    [[-np.inf, 1]],
    [[0.25, 2, -1]] * 3,
)
TIMINGS = (Timing(DTYPE, (64, 10), (2.0, 1.5, 3.0), 1e-5, 7842, ulp=37.0), Timing(DTYPE, (1024, 1000), note="too slow"))


def report_on(name: str) -> dict[str, Any]:
    """The report on what ships under a name, as JSON gives it back."""
    (implementation,) = load(name, {})
    implementation = replace(implementation, claims=replace(implementation.claims, dtypes=(DTYPE,)))
    run = _run_on(implementation)
    origins = {implementation.name: origin_of(implementation)}
    found: dict[str, Any] = json.loads(strict_json(report_document(run.plan, [run], origins=origins)))
    return found


def _run_on(implementation: Implementation) -> Run:
    problems = [Problem(np.asarray(rows, dtype=DTYPE), np.zeros(len(rows), dtype=int)) for rows in LOGITS]
    tally = Tally(implementation)
    for problem in problems:
        examine(tally, problem)
    failing = tuple(tuple(failed.values()) for failed in tally.failing.values())
    plan = Plan(PROFILES["quick"], 3, curves=True)
    lines = tuple(tally.in_order())
    run = Run(implementation, plan, tally.verdict(), lines, failing, (DTYPE,), tally.n_problems, 0.25)
    if not run.met:
        failed = [line.check.name for line in run.failures]
        diagnosis = scope_of(implementation.claims).explaining.diagnose(implementation, problems, failed, ())
        simplest = [line.simplest for line in run.failures if line.simplest is not None]
        run = replace(run, diagnosis=replace(diagnosis, examples=examples_of(diagnosis, implementation, simplest)))
    return replace(run, drawn=draw_loss(implementation, run.dtypes, run.diagnosis), timings=TIMINGS)


@pytest.fixture(scope="session")
def known_reports() -> dict[str, dict[str, Any]]:
    return {name: report_on(name) for name in ("teaching_global_shift", "shifted")}


@pytest.fixture
def reports(known_reports: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """A report on teaching code (c), and one on a sound implementation: for each test its own."""
    return copy.deepcopy(known_reports)


@pytest.fixture
def wrong(reports: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return reports["teaching_global_shift"]


@pytest.fixture
def sound(reports: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return reports["shifted"]
