"""What has changed between two reports of `gradlab check --json`: verdicts, checks, right digits, time and memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gradlab.checks.layer.table import LAYER_CHECKS
from gradlab.checks.table import CHECKS
from gradlab.compare.change import Change, Effect, Plain, worse_if
from gradlab.compare.cost_changes import cost_changes
from gradlab.compare.mistake_changes import mistake_changes
from gradlab.harness.verdict import Verdict
from gradlab.report.json import schema_fault
from gradlab.storage.files import parsed_json

FACTOR, ULPS = 2.0, 1.0  # an error has grown where it is more than a bit and an ULP above what it was
# The checks that measure in ULP: their worst result has the largest error of all problems. Elsewhere it is another one.
IN_ULP = frozenset(check.name for check in CHECKS if check.group == "accuracy" and check.failing_means == "inaccurate")

# Of a layer the worst result has the largest error over its bound, which is told of problems that are the same.
OVER_BOUND = frozenset(check.name for check in LAYER_CHECKS if check.group == "accuracy")
MIN_RATIO = 2.0**-6  # of a bound, above what it was: smaller errors are far from counting


class ReportError(ValueError):
    """Why a file is no report: one line, for people."""


def read_report(path: Path) -> Plain:
    """The report in a file. Raises ReportError where it cannot be read, or is no report of this version."""
    try:
        document = parsed_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path} is no report of gradlab check --json: {error}") from error
    if fault := schema_fault(document):
        raise ReportError(f"{path} is no report of gradlab check --json: {fault}")
    return dict(document)


def changes(old: Plain, new: Plain) -> Iterator[Change]:
    """What differs, implementation by implementation. Errors are compared only where the problems are the same."""
    before = {one["name"]: one for one in old["implementations"]}
    after = {one["name"]: one for one in new["implementations"]}
    same = all(old[name] == new[name] for name in ("seed", "profile"))
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in after:
            yield Change(name, "is not checked any more", Effect.WORSE)
        elif name not in before:
            yield Change(
                name, f"is new: {after[name]['verdict']}", Effect.CHANGED if after[name]["met"] else Effect.WORSE
            )
        else:
            yield from _implementation_changes(before[name], after[name], same)
    yield from cost_changes(old, new)


def _implementation_changes(old: Plain, new: Plain, same_problems: bool) -> Iterator[Change]:
    name = new["name"]
    verdicts = Verdict(old["verdict"]), Verdict(new["verdict"])
    if verdicts[0] != verdicts[1]:
        yield Change(name, f"verdict {verdicts[0]} -> {verdicts[1]}", worse_if(verdicts[1] < verdicts[0]))
    yield from mistake_changes(old, new)
    results = {(one["check"], one["dtype"]): one for one in old["results"]}
    for result in new["results"]:
        known = results.get((result["check"], result["dtype"]))
        if known is not None:
            yield from _check_changes(name, known, result, same_problems)


def _check_changes(name: str, old: Plain, new: Plain, same_problems: bool) -> Iterator[Change]:
    what = f"{new['check']} {new['dtype']}"
    if old["passed"] != new["passed"]:
        text = f"{what}: {'passed -> fails' if old['passed'] else 'failed -> passes'}"
        yield Change(name, text, Effect.CHANGED if old["passed"] and new["advice"] else worse_if(old["passed"]))
    if same_problems and new["check"] in IN_ULP and old["ulp"] is not None and new["ulp"] is not None:
        errors = float(old["ulp"]), float(new["ulp"])
        if _grown(*errors) or _grown(*reversed(errors)):
            yield Change(name, f"{what}: error {errors[0]:.4g} -> {errors[1]:.4g} ULP", worse_if(_grown(*errors)))
    if same_problems and new["check"] in OVER_BOUND:
        ratios = float(old["ratio"]), float(new["ratio"])
        if _nearer_its_bound(*ratios) or _nearer_its_bound(*reversed(ratios)):
            text = f"{what}: error {ratios[0]:.4g} -> {ratios[1]:.4g} of its bound"
            yield Change(name, text, worse_if(_nearer_its_bound(*ratios)))


def _grown(before: float, now: float) -> bool:
    return now > FACTOR * before + ULPS


def _nearer_its_bound(before: float, now: float) -> bool:
    return now > FACTOR * before + MIN_RATIO
